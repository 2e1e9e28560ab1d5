//! Arrays in JSON as nested lists, bit for bit.
//!
//! A finite number is written so that it reads back to the same bits. NaN is `null`; the infinities are the strings
//! `"Infinity"` and `"-Infinity"`, since JSON has no numbers for them. A field is written so by
//! `#[serde(with = "xai_core::nested")]`.

use ndarray::{Array1, Array2, Array3};
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// One number of an array.
#[derive(Clone, Copy)]
struct Cell(f64);

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            x if x.is_nan() => serializer.serialize_none(),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            x => serializer.serialize_f64(x),
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CellVisitor;
        impl Visitor<'_> for CellVisitor {
            type Value = Cell;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a number, null, \"Infinity\" or \"-Infinity\"")
            }
            fn visit_f64<E>(self, x: f64) -> Result<Cell, E> {
                Ok(Cell(x))
            }
            fn visit_i64<E>(self, x: i64) -> Result<Cell, E> {
                Ok(Cell(x as f64))
            }
            fn visit_u64<E>(self, x: u64) -> Result<Cell, E> {
                Ok(Cell(x as f64))
            }
            fn visit_unit<E>(self) -> Result<Cell, E> {
                Ok(Cell(f64::NAN))
            }
            fn visit_none<E>(self) -> Result<Cell, E> {
                Ok(Cell(f64::NAN))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Cell, E> {
                match text {
                    "Infinity" => Ok(Cell(f64::INFINITY)),
                    "-Infinity" => Ok(Cell(f64::NEG_INFINITY)),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(CellVisitor)
    }
}

/// A type that is written as nested lists of numbers.
pub trait Nested: Sized {
    /// The lists.
    type Lists: Serialize + DeserializeOwned;
    /// The array as lists.
    fn to_lists(&self) -> Self::Lists;
    /// `None` when the lists are ragged.
    fn from_lists(lists: Self::Lists) -> Option<Self>;
}

impl Nested for Vec<f64> {
    type Lists = Vec<CellBox>;
    fn to_lists(&self) -> Self::Lists {
        self.iter().map(|&x| CellBox(Cell(x))).collect()
    }
    fn from_lists(lists: Self::Lists) -> Option<Self> {
        Some(lists.into_iter().map(|c| c.0.0).collect())
    }
}

/// Keeps `Cell` private while it stands in a trait's associated type.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CellBox(Cell);

impl Nested for Array1<f64> {
    type Lists = Vec<CellBox>;
    fn to_lists(&self) -> Self::Lists {
        self.to_vec().to_lists()
    }
    fn from_lists(lists: Self::Lists) -> Option<Self> {
        Vec::from_lists(lists).map(Array1::from)
    }
}

impl Nested for Array2<f64> {
    type Lists = Vec<Vec<CellBox>>;
    fn to_lists(&self) -> Self::Lists {
        self.outer_iter().map(|row| row.to_vec().to_lists()).collect()
    }
    fn from_lists(lists: Self::Lists) -> Option<Self> {
        let shape = (lists.len(), lists.first().map_or(0, Vec::len));
        let flat = lists.into_iter().flat_map(|row| check_length(row, shape.1)).collect::<Option<Vec<_>>>()?;
        Array2::from_shape_vec(shape, flat).ok()
    }
}

impl Nested for Array3<f64> {
    type Lists = Vec<Vec<Vec<CellBox>>>;
    fn to_lists(&self) -> Self::Lists {
        self.outer_iter().map(|m| m.outer_iter().map(|row| row.to_vec().to_lists()).collect()).collect()
    }
    fn from_lists(lists: Self::Lists) -> Option<Self> {
        let rows = lists.first().map_or(0, Vec::len);
        let columns = lists.first().and_then(|m| m.first()).map_or(0, Vec::len);
        let n = lists.len();
        let mut flat = Vec::new();
        for matrix in lists {
            if matrix.len() != rows {
                return None;
            }
            for row in matrix {
                for cell in check_length(row, columns) {
                    flat.push(cell?);
                }
            }
        }
        Array3::from_shape_vec((n, rows, columns), flat).ok()
    }
}

impl<T: Nested> Nested for Vec<T>
where
    T: NotNumber,
{
    type Lists = Vec<T::Lists>;
    fn to_lists(&self) -> Self::Lists {
        self.iter().map(Nested::to_lists).collect()
    }
    fn from_lists(lists: Self::Lists) -> Option<Self> {
        lists.into_iter().map(T::from_lists).collect()
    }
}

/// Keeps `Vec<Vec<f64>>` apart from `Vec<f64>`.
pub trait NotNumber {}
impl NotNumber for Vec<f64> {}

impl<T: Nested> Nested for Option<T> {
    type Lists = Option<T::Lists>;
    fn to_lists(&self) -> Self::Lists {
        self.as_ref().map(Nested::to_lists)
    }
    fn from_lists(lists: Self::Lists) -> Option<Self> {
        match lists {
            None => Some(None),
            Some(lists) => T::from_lists(lists).map(Some),
        }
    }
}

/// For `#[serde(with = "xai_core::nested")]`.
///
/// # Errors
/// Those of the format, and lists of unequal length.
pub fn serialize<T: Nested, S: Serializer>(array: &T, serializer: S) -> Result<S::Ok, S::Error> {
    array.to_lists().serialize(serializer)
}

/// For `#[serde(with = "xai_core::nested")]`.
///
/// # Errors
/// Those of the format, and lists of unequal length.
pub fn deserialize<'de, T: Nested, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let lists = T::Lists::deserialize(deserializer)?;
    T::from_lists(lists).ok_or_else(|| de::Error::custom("lists of unequal length where an array is expected"))
}

/// The row's numbers, or a `None` among them when it has another length.
fn check_length(row: Vec<CellBox>, expected: usize) -> impl Iterator<Item = Option<f64>> {
    let right = row.len() == expected;
    let refusal = (!right).then_some(None);
    row.into_iter().map(|c| Some(c.0.0)).chain(refusal)
}
