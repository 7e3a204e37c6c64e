//! Fields of single bits, as the headers of video frames have them.

/// Bits from the most significant on. Every read past the end is `None`.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    position: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.position / 8)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Some(bit == 1)
    }

    /// A number of `count` bits, at most 32.
    pub(super) fn number(&mut self, count: u32) -> Option<u32> {
        let mut number = 0;
        for _ in 0..count {
            number = number << 1 | u32::from(self.bit()?);
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_most_significant_first() {
        let mut bits = Bits::new(&[0b1010_0000, 0xff]);
        assert_eq!(bits.bit(), Some(true));
        assert_eq!(bits.number(3), Some(0b010));
        assert_eq!(bits.number(8), Some(0x0f));
        assert_eq!(bits.number(4), Some(0xf));
        assert_eq!(bits.bit(), None);
    }
}
