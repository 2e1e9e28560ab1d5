//! Files of `torch.save` before version 1.6: pickles of a magic number, of a version, of the writing system and of the
//! object, then a pickle of the storages' keys, then each storage with its length before it.

use std::collections::HashMap;

use xai_core::{Error, Result};

use super::objects::{Storage, Value};
use super::pickle::Pickled;
use super::{Storages, malformed};

/// The magic number's bytes in its pickle.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The version of the form, written behind the magic number.
const VERSION: i64 = 1001;

/// Whether the content begins with the pickle of the magic number.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(32)];
    start.first() == Some(&0x80) && start.windows(MAGIC.len()).any(|window| window == MAGIC)
}

/// The bytes of the storages by key.
pub(super) struct Stored<'a> {
    by_key: HashMap<String, &'a [u8]>,
}

impl Storages for Stored<'_> {
    fn bytes(&self, storage: &Storage) -> Result<&[u8]> {
        let found = self.by_key.get(&storage.key).copied();
        found.ok_or_else(|| malformed(format!("the storage {:?}", storage.key), "it is not in the file"))
    }
}

/// # Errors
/// As [`Pickled::run`]; [`Error::Unsupported`] for a file of a big-endian system.
pub(super) fn read(bytes: &[u8]) -> Result<(Pickled<'_>, Box<dyn Storages + '_>)> {
    let mut rest = bytes;
    let mut next = || -> Result<Pickled<'_>> {
        let pickled = Pickled::run(rest)?;
        rest = &rest[pickled.length..];
        Ok(pickled)
    };
    next()?;
    if next()?.value != Value::Whole(VERSION) {
        return Err(malformed("the second pickle", format!("a version other than {VERSION}")));
    }
    let system = next()?;
    if little_endian(&system) == Some(false) {
        return Err(Error::unsupported("PyTorch: numbers of a big-endian system", super::SAVE));
    }
    let checkpoint = next()?;
    let keys = next()?;
    let stored = Stored { by_key: stored(&checkpoint, &keys, rest)? };
    Ok((checkpoint, Box::new(stored)))
}

fn little_endian(system: &Pickled) -> Option<bool> {
    let Value::Dict(dict) = system.value else { return None };
    let pairs = system.objects.dicts.get(dict)?;
    pairs.iter().find_map(|&(key, value)| match value {
        Value::Bool(little) if system.text(key) == Some("little_endian") => Some(little),
        _ => None,
    })
}

fn stored<'a>(checkpoint: &Pickled, keys: &Pickled, bytes: &'a [u8]) -> Result<HashMap<String, &'a [u8]>> {
    let sizes: HashMap<&str, usize> =
        checkpoint.objects.storages.iter().map(|s| (s.key.as_str(), s.element.size())).collect();
    let items = keys.objects.sequence(keys.value).ok_or_else(|| malformed("the storages' keys", "no list"))?;
    let mut by_key = HashMap::new();
    let mut rest = bytes;
    for &key in items {
        let key = keys.text(key).ok_or_else(|| malformed("the storages' keys", "a key that is no text"))?;
        let wrong = |problem: &str| malformed(format!("the storage {key:?}"), problem);
        let size = *sizes.get(key).ok_or_else(|| wrong("nothing says what kind of number it holds"))?;
        let (length, behind) = rest.split_first_chunk::<8>().ok_or_else(|| wrong("it is cut off"))?;
        let length = usize::try_from(i64::from_le_bytes(*length)).ok().and_then(|length| length.checked_mul(size));
        let length = length.filter(|&length| length <= behind.len()).ok_or_else(|| wrong("it is cut off"))?;
        let (own, behind) = behind.split_at(length);
        by_key.insert(key.to_owned(), own);
        rest = behind;
    }
    Ok(by_key)
}
