//! Looking up in small tables that lie in registers: with AVX-512, where one instruction takes 16 entries of 32 at once.

use std::arch::x86_64::{__m256i, __m512, __m512i};

use pulp::x86::V4;

use super::hits::{ROWS, Words};

/// The most vectors that tables take up together.
const MOST: usize = 16;

/// Adds one entry of each table for each sample.
///
/// # Shapes
/// `N` at most 256, and `N`·`P` at most 256.
#[inline(always)]
pub(super) fn add<const N: usize, const P: usize>(
    simd: V4,
    tables: [&[f32; N]; P],
    index: &Words,
    mut credit: [&mut [f32; ROWS]; P],
) {
    let zero: __m512 = pulp::cast([0.0f32; 16]);
    let n = N.div_ceil(16);
    let mut entries = [[zero; MOST]; P];
    for (entries, table) in entries.iter_mut().zip(tables) {
        for (entries, table) in entries.iter_mut().zip(table.chunks(16)) {
            let mut padded = [0.0f32; 16];
            padded[..table.len()].copy_from_slice(table);
            *entries = pulp::cast(padded);
        }
    }
    for (chunk, index) in index.as_chunks::<16>().0.iter().enumerate() {
        let index: __m512i = simd.avx512f._mm512_cvtepu16_epi32(pulp::cast::<[u16; 16], __m256i>(*index));
        // Bits 5, 6 and 7, that say which of two halves an entry lies in.
        let bit5 = simd.avx512dq._mm512_movepi32_mask(simd.avx512f._mm512_slli_epi32::<26>(index));
        let bit6 = simd.avx512dq._mm512_movepi32_mask(simd.avx512f._mm512_slli_epi32::<25>(index));
        let bit7 = simd.avx512dq._mm512_movepi32_mask(simd.avx512f._mm512_slli_epi32::<24>(index));
        let two = |e: &[__m512]| simd.avx512f._mm512_permutex2var_ps(e[0], index, e[1]);
        let four = |e: &[__m512]| simd.avx512f._mm512_mask_blend_ps(bit5, two(&e[..2]), two(&e[2..]));
        let eight = |e: &[__m512]| simd.avx512f._mm512_mask_blend_ps(bit6, four(&e[..4]), four(&e[4..]));
        for (entries, credit) in entries.iter().zip(&mut credit) {
            let found = match n {
                1 => simd.avx512f._mm512_permutexvar_ps(index, entries[0]),
                2 => two(&entries[..2]),
                4 => four(&entries[..4]),
                8 => eight(&entries[..8]),
                _ => simd.avx512f._mm512_mask_blend_ps(bit7, eight(&entries[..8]), eight(&entries[8..])),
            };
            let found: [f32; 16] = pulp::cast(found);
            let credit = &mut credit.as_chunks_mut::<16>().0[chunk];
            credit.iter_mut().zip(found).for_each(|(credit, found)| *credit += found);
        }
    }
}
