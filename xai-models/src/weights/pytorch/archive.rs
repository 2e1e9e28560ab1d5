//! Files of `torch.save` since version 1.6: a zip archive of `data.pkl` and one entry for each storage, not compressed.

use std::collections::HashMap;

use xai_core::{Error, Result};

use super::objects::Storage;
use super::pickle::Pickled;
use super::{Storages, malformed};

/// Whether the content begins as an archive does whose first entry is one of PyTorch's.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    let name = |length: u16| bytes.get(30..30 + usize::from(length)).unwrap_or_default();
    match bytes {
        [b'P', b'K', 3, 4, ..] => {
            let length = bytes.get(26..28).map_or(0, |length| u16::from_le_bytes([length[0], length[1]]));
            let name = name(length);
            let inner = name.iter().position(|&byte| byte == b'/').map_or(name, |slash| &name[slash + 1..]);
            let starts: [&[u8]; 6] = [b"data.pkl", b"data/", b"version", b"byteorder", b".", b"constants.pkl"];
            starts.iter().any(|start| inner.starts_with(start))
        }
        _ => false,
    }
}

/// # Errors
/// As [`Pickled::run`]; [`Error::Unsupported`] for TorchScript, compressed entries and big-endian numbers.
pub(super) fn read(bytes: &[u8]) -> Result<(Pickled<'_>, Box<dyn Storages + '_>)> {
    let archive = Archive::of(bytes)?;
    if archive.entries.get("byteorder").is_some_and(|order| *order == b"big") {
        return Err(Error::unsupported("PyTorch: numbers of a big-endian system", super::SAVE));
    }
    let checkpoint = archive.entry("data.pkl")?;
    Ok((Pickled::run(checkpoint)?, Box::new(archive)))
}

/// The entries of a zip archive by their names behind the first folder.
struct Archive<'a> {
    entries: HashMap<&'a str, &'a [u8]>,
}

impl Storages for Archive<'_> {
    fn bytes(&self, storage: &Storage) -> Result<&[u8]> {
        self.entry(&format!("data/{}", storage.key))
    }
}

impl<'a> Archive<'a> {
    /// Reads the directory at the archive's end and checks the checksum of every entry.
    fn of(bytes: &'a [u8]) -> Result<Archive<'a>> {
        let wrong = |problem: &str| malformed("the archive's directory", problem);
        let (start, count) = directory(bytes).ok_or_else(|| wrong("it is not at the end; is the file cut off?"))?;
        let mut rest = bytes.get(start..).ok_or_else(|| wrong("it lies beyond the end"))?;
        let mut entries = HashMap::new();
        let mut together = 0;
        for _ in 0..count {
            let header = Header::of(rest).ok_or_else(|| wrong("an entry that cannot be read"))?;
            let name = std::str::from_utf8(header.name).map_err(|_| wrong("a name that is not UTF-8"))?;
            let inner = name.split_once('/').map_or(name, |(_, inner)| inner);
            if inner.starts_with("code/") {
                return Err(Error::unsupported("PyTorch: a TorchScript archive", super::SAVE));
            }
            if header.method != 0 || header.flags & 1 != 0 {
                let what = format!("PyTorch: the compressed or encrypted entry {name:?}");
                return Err(Error::unsupported(what, format!("torch.save never compresses; {}", super::SAVE)));
            }
            let content = header.content(bytes).ok_or_else(|| wrong(&format!("{name:?} lies beyond the end")))?;
            // Entries that share bytes would make a short file as much work as a long one.
            together += content.len();
            if together > bytes.len() {
                return Err(wrong("entries that overlap"));
            }
            if checksum(content) != header.checksum {
                return Err(malformed(format!("the entry {name:?}"), "its checksum differs: the file was damaged"));
            }
            if entries.insert(inner, content).is_some() {
                return Err(wrong(&format!("two entries called {inner:?}")));
            }
            rest = &rest[header.length..];
        }
        Ok(Archive { entries })
    }

    fn entry(&self, name: &str) -> Result<&'a [u8]> {
        let entry = self.entries.get(name).copied();
        entry.ok_or_else(|| malformed(format!("the entry {name:?}"), "it is not in the archive"))
    }
}

/// What the directory says of an entry.
struct Header<'a> {
    flags: u16,
    method: u16,
    checksum: u32,
    name: &'a [u8],
    size: usize,
    /// Where its local header begins.
    offset: usize,
    /// The length of this header.
    length: usize,
}

impl<'a> Header<'a> {
    fn of(bytes: &'a [u8]) -> Option<Header<'a>> {
        bytes.strip_prefix(b"PK\x01\x02")?;
        let [name, extra, comment] = [28, 30, 32].map(|at| short(bytes, at).map(usize::from));
        let (name, extra, comment) = (name?, extra?, comment?);
        let compressed = long(bytes, 20)?;
        let mut fields = Wide::of(bytes.get(46 + name..46 + name + extra)?);
        // Sizes and offset beyond 32 bits stand in an extra field, in this order.
        let size = fields.real(long(bytes, 24)?)?;
        // What is not compressed, as it must be, has one size.
        fields.real(compressed)?;
        let offset = fields.real(long(bytes, 42)?)?;
        let length = 46 + name + extra + comment;
        bytes.get(..length)?;
        Some(Header {
            flags: short(bytes, 8)?,
            method: short(bytes, 10)?,
            checksum: long(bytes, 16)?,
            name: &bytes[46..46 + name],
            size: usize::try_from(size).ok()?,
            offset: usize::try_from(offset).ok()?,
            length,
        })
    }

    /// The bytes behind the local header, whose name and extra fields have lengths of their own.
    fn content(&self, file: &'a [u8]) -> Option<&'a [u8]> {
        let local = file.get(self.offset..)?.strip_prefix(b"PK\x03\x04")?;
        let start = 26 + usize::from(short(local, 22)?) + usize::from(short(local, 24)?);
        local.get(start..start.checked_add(self.size)?)
    }
}

/// The 64-bit numbers of the extra field 1.
struct Wide<'a> {
    rest: &'a [u8],
}

impl<'a> Wide<'a> {
    fn of(mut extra: &'a [u8]) -> Self {
        while let (Some(kind), Some(length)) = (short(extra, 0), short(extra, 2)) {
            let end = 4 + usize::from(length);
            match extra.get(4..end) {
                Some(field) if kind == 1 => return Wide { rest: field },
                Some(_) => extra = &extra[end..],
                None => break,
            }
        }
        Wide { rest: &[] }
    }

    fn real(&mut self, narrow: u32) -> Option<u64> {
        if narrow != u32::MAX {
            return Some(u64::from(narrow));
        }
        let (number, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*number))
    }
}

/// Where the directory begins, and how many entries it has.
fn directory(bytes: &[u8]) -> Option<(usize, u64)> {
    // The end record is followed by a comment of at most 65,535 bytes.
    let from = bytes.len().saturating_sub(22 + usize::from(u16::MAX));
    let end = (from..=bytes.len().checked_sub(22)?).rev().find(|&at| bytes[at..].starts_with(b"PK\x05\x06"))?;
    let record = &bytes[end..];
    let (mut count, mut start) = (u64::from(short(record, 10)?), u64::from(long(record, 16)?));
    let locator = end.checked_sub(20).map(|at| &bytes[at..]).and_then(|at| at.strip_prefix(b"PK\x06\x07"));
    if let Some(locator) = locator {
        let at = usize::try_from(wide(locator, 4)?).ok()?;
        let record = bytes.get(at..)?.strip_prefix(b"PK\x06\x06")?;
        (count, start) = (wide(record, 28)?, wide(record, 44)?);
    }
    Some((usize::try_from(start).ok()?, count))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|number| u16::from_le_bytes(*number))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|number| u32::from_le_bytes(*number))
}

fn wide(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|number| u64::from_le_bytes(*number))
}

/// CRC-32 as zip archives have it.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |sum, &byte| TABLE[usize::from(sum as u8 ^ byte)] ^ sum >> 8)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}
