//! The import section of a WebAssembly module (WebAssembly Core Specification,
//! section 5.5).

use anyhow::{Context, Result, ensure};

/// `\0asm` and the version.
const HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";
const IMPORT_SECTION: u8 = 2;
/// Kind of an imported function; wasm-bindgen's modules import nothing else.
const FUNCTION: u8 = 0;

/// The module with every import of a function under the name `rename` gives.
///
/// # Errors
/// When it is no module, or imports something else than functions.
pub(super) fn rename_imports(
    module: &[u8],
    mut rename: impl FnMut(&str) -> String,
) -> Result<Vec<u8>> {
    let mut rest = Reader(module);
    ensure!(
        rest.bytes(HEADER.len())? == HEADER,
        "this is no WebAssembly module"
    );
    let mut renamed = HEADER.to_vec();
    while !rest.0.is_empty() {
        let section = rest.byte()?;
        let body = rest.sized()?;
        renamed.push(section);
        if section == IMPORT_SECTION {
            put_sized(&mut renamed, &imports(Reader(body), &mut rename)?);
        } else {
            put_sized(&mut renamed, body);
        }
    }
    Ok(renamed)
}

fn imports(mut body: Reader, rename: &mut impl FnMut(&str) -> String) -> Result<Vec<u8>> {
    let count = body.number()?;
    let mut renamed = Vec::new();
    put_number(&mut renamed, count);
    for _ in 0..count {
        put_sized(&mut renamed, body.sized()?);
        let name = str::from_utf8(body.sized()?).context("an import's name")?;
        put_sized(&mut renamed, rename(name).as_bytes());
        ensure!(body.byte()? == FUNCTION, "{name} is no function");
        renamed.push(FUNCTION);
        put_number(&mut renamed, body.number()?);
    }
    Ok(renamed)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self
            .0
            .split_at_checked(count)
            .context("it ends too early")?;
        self.0 = rest;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.bytes(1)?[0])
    }

    /// An unsigned LEB128 number of 32 bits.
    fn number(&mut self) -> Result<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        anyhow::bail!("a number is too long")
    }

    /// Bytes behind their count.
    fn sized(&mut self) -> Result<&'a [u8]> {
        let count = self.number()?;
        self.bytes(count as usize)
    }
}

fn put_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A module of a type section, which is kept as it is, and functions
    /// imported from `env` by these names.
    pub(crate) fn with_imports(names: &[&str]) -> Vec<u8> {
        let mut module = HEADER.to_vec();
        module.push(1);
        put_sized(&mut module, &[1, 0x60, 0, 0]);
        let mut imports = Vec::new();
        put_number(&mut imports, names.len() as u32);
        for name in names {
            put_sized(&mut imports, b"env");
            put_sized(&mut imports, name.as_bytes());
            imports.extend([FUNCTION, 0]);
        }
        module.push(IMPORT_SECTION);
        put_sized(&mut module, &imports);
        module
    }

    #[test]
    fn numbers_survive() {
        for number in [0, 1, 127, 128, 16_384, u32::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            assert_eq!(Reader(&bytes).number().unwrap(), number);
        }
    }

    #[test]
    fn long_and_many_names_are_renamed() {
        let long = "x".repeat(300);
        let module = with_imports(&vec![long.as_str(); 200]);
        let renamed = rename_imports(&module, |_| "y".to_owned()).unwrap();
        assert_eq!(renamed, with_imports(&["y"; 200]));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        let module = with_imports(&["a"]);
        let keep = |name: &str| name.to_owned();
        assert_eq!(rename_imports(&module, keep).unwrap(), module);
        for broken in [&b""[..], b"<!doctype html>", &module[..module.len() - 1]] {
            assert!(rename_imports(broken, keep).is_err());
        }
    }
}
