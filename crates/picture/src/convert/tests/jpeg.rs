//! JPEG files, made by hand.

/// A JPEG file of one colour, without Huffman tables, as Motion JPEG has
/// it: blocks of 8x8 pixels that differ from the one before in nothing.
pub(super) fn jpeg(width: u16, height: u16, colour: [u8; 3]) -> Vec<u8> {
    let [h, w] = [height, width].map(u16::to_be_bytes);
    let mut file = vec![0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0];
    // Divided by 8, the sum over a block is its mean.
    file.extend([8; 64]);
    file.extend([0xFF, 0xC0, 0, 17, 8, h[0], h[1], w[0], w[1], 3]);
    file.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    file.extend([0xFF, 0xDA, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
    let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8));
    let mut bits = String::new();
    let mut before = [128; 3];
    for _ in 0..blocks {
        for (component, value) in colour.into_iter().enumerate() {
            let difference = i32::from(value) - before[component];
            before[component] = value.into();
            bits += &block(component == 0, difference);
        }
    }
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    for byte in bits.as_bytes().chunks(8) {
        let byte = byte.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
        file.push(byte);
        if byte == 0xFF {
            file.push(0);
        }
    }
    file.extend([0xFF, 0xD9]);
    file
}

/// A block of one value, by the codes of ITU-T T.81 annex K.3.
fn block(luma: bool, difference: i32) -> String {
    const LUMA: [&str; 9] = [
        "00", "010", "011", "100", "101", "110", "1110", "11110", "111110",
    ];
    const CHROMA: [&str; 9] = [
        "00", "01", "10", "110", "1110", "11110", "111110", "1111110", "11111110",
    ];
    let size = (32 - difference.unsigned_abs().leading_zeros()) as usize;
    let (code, end) = if luma {
        (LUMA[size], "1010")
    } else {
        (CHROMA[size], "00")
    };
    let bits = if difference < 0 {
        difference + (1 << size) - 1
    } else {
        difference
    };
    match size {
        0 => format!("{code}{end}"),
        _ => format!("{code}{bits:0size$b}{end}"),
    }
}
