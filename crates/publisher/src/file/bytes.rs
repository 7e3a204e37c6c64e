//! Bytes from a file or a pipe, and fields in them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// What is read at once.
const BUFFER: usize = 64 << 10;

/// What can only be read forward.
pub(crate) type Pipe = Box<dyn Read + Send + Sync>;

/// A file, or a pipe, which cannot go back.
pub(super) struct Bytes {
    inner: Inner,
    position: u64,
}

enum Inner {
    File {
        reader: BufReader<File>,
        length: u64,
    },
    Pipe(BufReader<Pipe>),
}

impl Bytes {
    /// A file from its beginning.
    pub(super) fn file(mut file: File) -> io::Result<Self> {
        file.rewind()?;
        let length = file.metadata()?.len();
        let reader = BufReader::with_capacity(BUFFER, file);
        Ok(Self {
            inner: Inner::File { reader, length },
            position: 0,
        })
    }

    /// A pipe.
    pub(super) fn pipe(reader: Pipe) -> Self {
        Self {
            inner: Inner::Pipe(BufReader::with_capacity(BUFFER, reader)),
            position: 0,
        }
    }

    /// Of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Whether there are no more bytes.
    pub(super) fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.reader().fill_buf()?.is_empty())
    }

    pub(super) fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.reader().read_exact(buffer)?;
        self.position += buffer.len() as u64;
        Ok(())
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The next `length` bytes, which the caller has found to be few enough.
    pub(super) fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Goes on behind the next `count` bytes.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<()> {
        match &self.inner {
            Inner::File { .. } => match self.position.checked_add(count) {
                Some(target) => self.seek(target),
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            },
            Inner::Pipe(_) => {
                let copied = io::copy(&mut self.reader().take(count), &mut io::sink())?;
                self.position += copied;
                if copied < count {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(())
            }
        }
    }

    /// Goes on at `target`, which a pipe cannot.
    pub(super) fn seek(&mut self, target: u64) -> io::Result<()> {
        let Inner::File { reader, length } = &mut self.inner else {
            return Err(io::ErrorKind::NotSeekable.into());
        };
        if target > *length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Keeps what is buffered, if that reaches as far.
        let step = i128::from(target) - i128::from(self.position);
        match i64::try_from(step) {
            Ok(step) => reader.seek_relative(step)?,
            Err(_) => drop(reader.seek(SeekFrom::Start(target))?),
        }
        self.position = target;
        Ok(())
    }

    fn reader(&mut self) -> &mut dyn BufRead {
        match &mut self.inner {
            Inner::File { reader, .. } => reader,
            Inner::Pipe(reader) => reader,
        }
    }
}

/// Big-endian fields of a piece of a file. Every read past the end is `None`.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(drop)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A number of `count` bytes, at most eight.
    pub(super) fn number(&mut self, count: usize) -> Option<u64> {
        if count > 8 {
            return None;
        }
        let bytes = self.take(count)?;
        Some(
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn both(content: &[u8]) -> [Bytes; 2] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let pipe = Cursor::new(content.to_vec());
        [Bytes::file(file).unwrap(), Bytes::pipe(Box::new(pipe))]
    }

    #[test]
    fn files_and_pipes_read_alike() {
        for mut bytes in both(b"0123456789") {
            assert_eq!(bytes.array::<2>().unwrap(), *b"01");
            bytes.skip(3).unwrap();
            assert_eq!(bytes.position(), 5);
            assert_eq!(bytes.take(5).unwrap(), b"56789");
            assert!(bytes.at_end().unwrap());
            let error = bytes.take(1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn nothing_is_behind_the_end() {
        for mut bytes in both(b"0123456789") {
            let error = bytes.skip(11).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        let [mut file, mut pipe] = both(b"0123456789");
        file.seek(9).unwrap();
        assert_eq!(file.array::<1>().unwrap(), *b"9");
        file.seek(1).unwrap();
        assert_eq!(file.array::<1>().unwrap(), *b"1");
        assert_eq!(
            file.skip(u64::MAX).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        assert!(pipe.seek(1).is_err());
    }

    #[test]
    fn fields_end_where_their_bytes_do() {
        let mut fields = Fields(&[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(fields.u16(), Some(0x0102));
        assert_eq!(fields.number(3), Some(0x03_0405));
        assert_eq!(fields.u32(), None);
        assert_eq!(fields.u8(), Some(6));
        assert_eq!(fields.number(9), None);
        assert!(!fields.is_empty());
        assert_eq!(fields.skip(1), Some(()));
        assert!(fields.is_empty());
    }
}
