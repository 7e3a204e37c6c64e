//! Bits of a header, most significant first, never read past its end.

/// What is left of a header.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Bits read so far.
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// An unsigned number of at most 32 bits.
    pub(super) fn number(&mut self, bits: u32) -> Option<u32> {
        let mut number = 0;
        for _ in 0..bits {
            number = number << 1 | u32::from(self.flag()?);
        }
        Some(number)
    }

    pub(super) fn skip(&mut self, bits: usize) -> Option<()> {
        self.at = self.at.checked_add(bits)?;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// An unsigned Exp-Golomb number, H.264 section 9.1; AV1 calls it uvlc
    /// (section 4.10.3).
    pub(super) fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros == u32::BITS {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.number(zeros)?)
    }

    /// A signed Exp-Golomb number, H.264 section 9.1.1.
    pub(super) fn signed_exp_golomb(&mut self) -> Option<i32> {
        let code = i64::from(self.exp_golomb()?);
        let magnitude = (code + 1) / 2;
        let number = if code % 2 == 1 { magnitude } else { -magnitude };
        i32::try_from(number).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_across_bytes() {
        let mut bits = Bits::new(&[0b1010_0110, 0b1100_0001]);
        assert_eq!(bits.flag(), Some(true));
        assert_eq!(bits.number(9), Some(0b0_1001_1011));
        assert_eq!(bits.skip(5), Some(()));
        assert_eq!(bits.number(2), None, "one bit is left");
    }

    #[test]
    fn exp_golomb_codes_are_those_of_the_standard() {
        // H.264 table 9-2 and 9-3: 0, 1, 2, 3, 4 and 0, 1, -1, 2, -2.
        let codes = [0b1010_0110, 0b0100_0010, 0b1000_0000];
        let mut bits = Bits::new(&codes);
        let unsigned: Vec<_> = (0..5).map(|_| bits.exp_golomb()).collect();
        assert_eq!(unsigned, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
        let mut bits = Bits::new(&codes);
        let signed: Vec<_> = (0..5).map(|_| bits.signed_exp_golomb()).collect();
        assert_eq!(signed, [Some(0), Some(1), Some(-1), Some(2), Some(-2)]);
    }

    #[test]
    fn an_endless_code_is_none() {
        assert_eq!(Bits::new(&[0; 16]).exp_golomb(), None);
        assert_eq!(Bits::new(&[0; 2]).exp_golomb(), None);
        // 31 zeros: the greatest that there is.
        let greatest = [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Bits::new(&greatest).exp_golomb(), Some(u32::MAX - 1));
        assert_eq!(Bits::new(&greatest).signed_exp_golomb(), Some(-i32::MAX));
    }
}
