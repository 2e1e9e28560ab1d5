//! The binary form: Universal Binary JSON, read into the same fields as JSON.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use xai_core::Error;

use super::schema::File;

/// How deeply arrays and objects may be nested; XGBoost nests eight.
const DEEPEST: usize = 64;

/// Reads the fields.
pub(super) fn read(bytes: &[u8]) -> xai_core::Result<File> {
    let mut reader = Reader { bytes, at: 0, depth: 0 };
    let file = File::deserialize(&mut reader).and_then(|file| match bytes.len() - reader.at {
        0 => Ok(file),
        n => Err(Fault(format!("{n} bytes after the end"))),
    });
    file.map_err(|fault| Error::Malformed {
        format: "XGBoost UBJSON",
        at: format!("byte {}", reader.at),
        problem: fault.0,
    })
}

/// What is wrong; the reader knows where.
#[derive(Debug)]
struct Fault(String);

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Fault> {
        let end = self.at.checked_add(n).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| Fault("the file ends in the middle".to_owned()))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// A number's bytes; the file has the most significant one first.
    fn word<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut word = [0; N];
        word.copy_from_slice(self.take(N)?);
        Ok(word)
    }

    fn marker(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?[0])
    }

    fn next_is(&mut self, marker: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&marker);
        self.at += usize::from(found);
        found
    }

    /// A whole number with its marker.
    fn integer(&mut self) -> Result<i64, Fault> {
        let marker = self.marker()?;
        self.integer_of(marker)
    }

    fn integer_of(&mut self, marker: u8) -> Result<i64, Fault> {
        Ok(match marker {
            b'i' => i64::from(i8::from_be_bytes(self.word()?)),
            b'U' | b'C' => i64::from(u8::from_be_bytes(self.word()?)),
            b'I' => i64::from(i16::from_be_bytes(self.word()?)),
            b'l' => i64::from(i32::from_be_bytes(self.word()?)),
            b'L' => i64::from_be_bytes(self.word()?),
            other => return Err(Fault(format!("marker {:?} where a whole number is needed", char::from(other)))),
        })
    }

    /// A length of text or of a list, whose items have at least `size` bytes each.
    fn length(&mut self, size: usize) -> Result<usize, Fault> {
        let length = self.integer()?;
        let fits = |length: &usize| length.checked_mul(size).is_some_and(|n| n <= self.bytes.len() - self.at);
        let length = usize::try_from(length).ok().filter(fits);
        length.ok_or_else(|| Fault("a length beyond the end of the file".to_owned()))
    }

    fn text(&mut self) -> Result<&'a str, Fault> {
        let length = self.length(1)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Fault("text that is not UTF-8".to_owned()))
    }

    fn value<V: Visitor<'a>>(&mut self, marker: u8, visitor: V) -> Result<V::Value, Fault> {
        match marker {
            b'Z' => visitor.visit_unit(),
            b'T' => visitor.visit_bool(true),
            b'F' => visitor.visit_bool(false),
            b'd' => visitor.visit_f64(f64::from(f32::from_be_bytes(self.word()?))),
            b'D' => visitor.visit_f64(f64::from_be_bytes(self.word()?)),
            b'S' => visitor.visit_borrowed_str(self.text()?),
            b'[' => {
                self.enter()?;
                let items = self.items()?;
                let value = visitor.visit_seq(items)?;
                self.depth -= 1;
                Ok(value)
            }
            b'{' => {
                self.enter()?;
                let value = visitor.visit_map(Entries(self))?;
                self.depth -= 1;
                Ok(value)
            }
            number => visitor.visit_i64(self.integer_of(number)?),
        }
    }

    fn enter(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        match self.depth {
            1..=DEEPEST => Ok(()),
            _ => Err(Fault(format!("nested more than {DEEPEST} deep"))),
        }
    }

    /// The head of an array: `$` type `#` length, `#` length, or nothing before items that `]` ends.
    fn items(&mut self) -> Result<Items<'_, 'a>, Fault> {
        let marker = match self.next_is(b'$') {
            true => Some(self.marker()?),
            false => None,
        };
        let size = match marker {
            None | Some(b'i' | b'U' | b'C') => 1,
            Some(b'I') => 2,
            Some(b'l' | b'd') => 4,
            Some(b'L' | b'D') => 8,
            Some(other) => return Err(Fault(format!("an array of type {:?}", char::from(other)))),
        };
        let left = match self.next_is(b'#') {
            true => Some(self.length(size)?),
            false if marker.is_some() => return Err(Fault("a typed array without a length".to_owned())),
            false => None,
        };
        Ok(Items { reader: self, marker, left })
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let marker = self.marker()?;
        self.value(marker, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.next_is(b'Z') { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// An item of a typed array, whose marker stands once before all.
struct Item<'r, 'de> {
    reader: &'r mut Reader<'de>,
    marker: u8,
}

impl<'de> Deserializer<'de> for Item<'_, 'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.reader.value(self.marker, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any option
    }
}

struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    marker: Option<u8>,
    left: Option<usize>,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        match &mut self.left {
            Some(0) => return Ok(None),
            Some(left) => *left -= 1,
            None if self.reader.next_is(b']') => return Ok(None),
            None => {}
        }
        match self.marker {
            Some(marker) => seed.deserialize(Item { reader: self.reader, marker }).map(Some),
            None => seed.deserialize(&mut *self.reader).map(Some),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        self.left
    }
}

/// The entries of an object.
struct Entries<'r, 'de>(&'r mut Reader<'de>);

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        if self.0.next_is(b'}') {
            return Ok(None);
        }
        let key = self.0.text()?;
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(&mut *self.0)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Fault(problem.to_string())
    }
}
