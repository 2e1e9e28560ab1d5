//! Kinds of numbers in files of weights.

/// A kind of number, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
}

impl Element {
    /// Its length in bytes.
    pub fn size(self) -> usize {
        match self {
            Element::F64 | Element::I64 => 8,
            Element::F32 | Element::I32 => 4,
            Element::F16 | Element::Bf16 | Element::I16 => 2,
            Element::I8 | Element::U8 => 1,
        }
    }

    /// All whole numbers in `bytes`, as the nearest `f32`.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Element::F64 => words(bytes, |word| f64::from_le_bytes(word) as f32),
            Element::F32 => words(bytes, f32::from_le_bytes),
            Element::F16 => words(bytes, |word| half(u16::from_le_bytes(word))),
            Element::Bf16 => words(bytes, |word| f32::from_bits(u32::from(u16::from_le_bytes(word)) << 16)),
            Element::I64 => words(bytes, |word| i64::from_le_bytes(word) as f32),
            Element::I32 => words(bytes, |word| i32::from_le_bytes(word) as f32),
            Element::I16 => words(bytes, |word| f32::from(i16::from_le_bytes(word))),
            Element::I8 => words(bytes, |word| f32::from(i8::from_le_bytes(word))),
            Element::U8 => bytes.iter().map(|&byte| f32::from(byte)).collect(),
        }
    }
}

fn words<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<N>();
    words.iter().map(|word| number(*word)).collect()
}

/// A number of IEEE 754's binary16, which every `f32` format holds exactly.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, fraction) = (u32::from(bits >> 10 & 0x1f), u32::from(bits & 0x3ff));
    match exponent {
        0 => {
            let size = fraction as f32 / (1_u32 << 24) as f32;
            if sign == 0 { size } else { -size }
        }
        31 => f32::from_bits(sign | 0xff << 23 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}
