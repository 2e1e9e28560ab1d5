//! The hash by which CatBoost knows a category.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;
const K3: u64 = 0xc949_d7c7_509e_6557;
const MIX: u64 = 0x9ddf_ea08_eb38_2d69;

/// The lower half of CityHash64 (version 1.0) of the name's bytes.
///
/// # Laws
/// `category_hashes_are_the_library_s`: against the hashes that catboost writes, for names of 0 to 200 bytes.
///
/// # Source
/// Pike and Alakuijala, CityHash (2011).
pub fn category_hash(name: &str) -> u32 {
    city_hash_64(name.as_bytes()) as u32
}

fn city_hash_64(s: &[u8]) -> u64 {
    match s.len() {
        0..=16 => up_to_16(s),
        17..=32 => up_to_32(s),
        33..=64 => up_to_64(s),
        _ => longer(s),
    }
}

/// Eight bytes from `at`; zero beyond the end, where none of the callers looks.
fn word(s: &[u8], at: usize) -> u64 {
    let bytes = s.get(at..at + 8).and_then(|b| b.try_into().ok());
    bytes.map_or(0, u64::from_le_bytes)
}

fn half_word(s: &[u8], at: usize) -> u64 {
    let bytes = s.get(at..at + 4).and_then(|b| b.try_into().ok());
    bytes.map_or(0, |b| u64::from(u32::from_le_bytes(b)))
}

fn shift_mix(x: u64) -> u64 {
    x ^ (x >> 47)
}

fn join(low: u64, high: u64) -> u64 {
    let a = shift_mix((low ^ high).wrapping_mul(MIX));
    shift_mix((high ^ a).wrapping_mul(MIX)).wrapping_mul(MIX)
}

fn up_to_16(s: &[u8]) -> u64 {
    let n = s.len();
    match n {
        0 => K2,
        1..=3 => {
            let y = u64::from(s[0]) + (u64::from(s[n / 2]) << 8);
            let z = n as u64 + (u64::from(s[n - 1]) << 2);
            shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K3)).wrapping_mul(K2)
        }
        4..=8 => join(n as u64 + (half_word(s, 0) << 3), half_word(s, n - 4)),
        _ => {
            let (a, b) = (word(s, 0), word(s, n - 8));
            join(a, b.wrapping_add(n as u64).rotate_right(n as u32)) ^ b
        }
    }
}

fn up_to_32(s: &[u8]) -> u64 {
    let n = s.len();
    let a = word(s, 0).wrapping_mul(K1);
    let b = word(s, 8);
    let c = word(s, n - 8).wrapping_mul(K2);
    let d = word(s, n - 16).wrapping_mul(K0);
    join(
        a.wrapping_sub(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d),
        a.wrapping_add((b ^ K3).rotate_right(20)).wrapping_sub(c).wrapping_add(n as u64),
    )
}

fn up_to_64(s: &[u8]) -> u64 {
    let n = s.len();
    // Both ends of the text go through the same mill.
    let mill = |mut a: u64, z: u64, second: u64, third: u64| {
        let b = a.wrapping_add(z).rotate_right(52);
        let mut c = a.rotate_right(37);
        a = a.wrapping_add(second);
        c = c.wrapping_add(a.rotate_right(7));
        a = a.wrapping_add(third);
        (a.wrapping_add(z), b.wrapping_add(a.rotate_right(31)).wrapping_add(c))
    };
    let start = word(s, 0).wrapping_add((n as u64).wrapping_add(word(s, n - 16)).wrapping_mul(K0));
    let (vf, vs) = mill(start, word(s, 24), word(s, 8), word(s, 16));
    let end = word(s, 16).wrapping_add(word(s, n - 32));
    let (wf, ws) = mill(end, word(s, n - 8), word(s, n - 24), word(s, n - 16));
    let r = shift_mix(vf.wrapping_add(ws).wrapping_mul(K2).wrapping_add(wf.wrapping_add(vs).wrapping_mul(K0)));
    shift_mix(r.wrapping_mul(K0).wrapping_add(vs)).wrapping_mul(K2)
}

fn longer(s: &[u8]) -> u64 {
    let n = s.len();
    let mut x = word(s, 0);
    let mut y = word(s, n - 16) ^ K1;
    let mut z = word(s, n - 56) ^ K0;
    let mut v = weak_32(s, n - 64, n as u64, y);
    let mut w = weak_32(s, n - 32, (n as u64).wrapping_mul(K1), K0);
    z = z.wrapping_add(shift_mix(v.1).wrapping_mul(K1));
    x = z.wrapping_add(x).rotate_right(39).wrapping_mul(K1);
    y = y.rotate_right(33).wrapping_mul(K1);
    for at in (0..(n - 1) & !63).step_by(64) {
        x = x.wrapping_add(y).wrapping_add(v.0).wrapping_add(word(s, at + 16)).rotate_right(37).wrapping_mul(K1);
        y = y.wrapping_add(v.1).wrapping_add(word(s, at + 48)).rotate_right(42).wrapping_mul(K1);
        x ^= w.1;
        y ^= v.0;
        z = (z ^ w.0).rotate_right(33);
        v = weak_32(s, at, v.1.wrapping_mul(K1), x.wrapping_add(w.0));
        w = weak_32(s, at + 32, z.wrapping_add(w.1), y);
        std::mem::swap(&mut z, &mut x);
    }
    join(join(v.0, w.0).wrapping_add(shift_mix(y).wrapping_mul(K1)).wrapping_add(z), join(v.1, w.1).wrapping_add(x))
}

fn weak_32(s: &[u8], at: usize, a: u64, b: u64) -> (u64, u64) {
    let (p, q, r, t) = (word(s, at), word(s, at + 8), word(s, at + 16), word(s, at + 24));
    let a = a.wrapping_add(p);
    let b = b.wrapping_add(a).wrapping_add(t).rotate_right(21);
    let c = a;
    let a = a.wrapping_add(q).wrapping_add(r);
    (a.wrapping_add(t), b.wrapping_add(a.rotate_right(44)).wrapping_add(c))
}
