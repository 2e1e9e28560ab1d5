//! An interpreter of pickles that builds data and nothing else.
//!
//! A pickle is a program for a machine with a stack and a memo. The opcodes that only build numbers, texts, tuples, lists
//! and dictionaries are carried out. GLOBAL, which in Python fetches any class or function, looks a name up in a short
//! list; REDUCE, which calls it, knows what each name of the list means (`calls.rs`). There is no other opcode.

use std::collections::HashMap;

use xai_core::{Error, Result};

use super::objects::{Global, Objects, Span, Value};
use super::{FORMAT, malformed};

/// The longest pickle that is read: tens of thousands of tensors. Their numbers are not in it.
pub(super) const LONGEST: usize = 1 << 22;

/// A pickle that has been run.
#[derive(Debug)]
pub(super) struct Pickled<'a> {
    bytes: &'a [u8],
    /// What it gives.
    pub value: Value,
    pub objects: Objects,
    /// Its length in bytes.
    pub length: usize,
}

impl<'a> Pickled<'a> {
    /// Runs the pickle at the beginning of `bytes`.
    ///
    /// # Cost
    /// Memory of at most some tens of bytes for each byte of the pickle.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the byte; [`Error::Unsupported`] for an opcode or object that is not in the lists.
    pub fn run(bytes: &'a [u8]) -> Result<Pickled<'a>> {
        let bytes = &bytes[..bytes.len().min(LONGEST)];
        let mut machine = Machine { bytes, ..Machine::default() };
        let value = machine.run()?;
        Ok(Pickled { bytes, value, objects: machine.objects, length: machine.at })
    }

    /// A text.
    pub fn text(&self, value: Value) -> Option<&'a str> {
        text(self.bytes, value)
    }
}

pub(super) fn text(bytes: &[u8], value: Value) -> Option<&str> {
    match value {
        Value::Text(span) => std::str::from_utf8(bytes.get(span.start..span.end)?).ok(),
        _ => None,
    }
}

#[derive(Default)]
pub(super) struct Machine<'a> {
    pub bytes: &'a [u8],
    at: usize,
    /// Where the opcode that is carried out stands.
    opcode_at: usize,
    stack: Vec<Value>,
    /// The heights of the stack at the marks.
    marks: Vec<usize>,
    memo: HashMap<usize, Value>,
    pub objects: Objects,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Value> {
        loop {
            self.opcode_at = self.at;
            if self.byte()? == b'.' {
                return self.pop();
            }
            self.step(self.bytes[self.opcode_at])?;
        }
    }

    fn step(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            0x80 => drop(self.byte()?),
            0x95 => drop(self.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.since_mark()?),
            b'2' => self.push(self.top()?),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'K' => {
                let number = self.byte()?;
                self.push(Value::Whole(i64::from(number)));
            }
            b'M' => {
                let number = self.chunk().map(u16::from_le_bytes)?;
                self.push(Value::Whole(i64::from(number)));
            }
            b'J' => {
                let number = self.chunk().map(i32::from_le_bytes)?;
                self.push(Value::Whole(i64::from(number)));
            }
            0x8a => self.long()?,
            b'G' => {
                let number = self.chunk().map(f64::from_be_bytes)?;
                self.push(Value::Real(number));
            }
            b'X' | b'T' => {
                let length = self.chunk().map(u32::from_le_bytes)?;
                self.text(u64::from(length))?;
            }
            0x8c | b'U' => {
                let length = self.byte()?;
                self.text(u64::from(length))?;
            }
            0x8d => {
                let length = self.chunk().map(u64::from_le_bytes)?;
                self.text(length)?;
            }
            b')' => self.tuple(self.stack.len())?,
            0x85..=0x87 => {
                let start = self.stack.len().checked_sub(usize::from(opcode - 0x84));
                let start = start.filter(|&start| start >= self.floor());
                self.tuple(start.ok_or_else(|| self.wrong("the stack is empty"))?)?;
            }
            b't' => {
                let start = self.marks.pop().ok_or_else(|| self.wrong("no mark"))?;
                self.tuple(start)?;
            }
            b']' => self.list(Vec::new()),
            b'l' => {
                let items = self.since_mark()?;
                self.list(items);
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.since_mark()?;
                self.append(items)?;
            }
            b'}' => self.dict(Vec::new()),
            b'd' => {
                let items = self.since_mark()?;
                let pairs = self.pairs(&items)?;
                self.dict(pairs);
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.insert(vec![(key, value)])?;
            }
            b'u' => {
                let items = self.since_mark()?;
                let pairs = self.pairs(&items)?;
                self.insert(pairs)?;
            }
            b'q' => {
                let place = self.byte()?;
                self.remember(usize::from(place))?;
            }
            b'r' => {
                let place = self.chunk().map(u32::from_le_bytes)?;
                self.remember(place as usize)?;
            }
            0x94 => self.remember(self.memo.len())?,
            b'h' => {
                let place = self.byte()?;
                self.recall(usize::from(place))?;
            }
            b'j' => {
                let place = self.chunk().map(u32::from_le_bytes)?;
                self.recall(place as usize)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Global(Global::of(module, name)?));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let texts = text(self.bytes, module).zip(text(self.bytes, name));
                let (module, name) = texts.ok_or_else(|| self.wrong("a name that is no text"))?;
                self.push(Value::Global(Global::of(module, name)?));
            }
            b'Q' => self.storage()?,
            b'R' => self.call()?,
            b'b' => self.build()?,
            _ => {
                let what = format!("PyTorch: the pickle's opcode {:?}", char::from(opcode).to_string());
                return Err(Error::unsupported(what, format!("no tensor needs it; {}", super::SAVE)));
            }
        }
        Ok(())
    }

    pub fn wrong(&self, problem: &str) -> Error {
        malformed(format!("byte {} of the pickle", self.opcode_at), problem)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            if self.bytes.len() == LONGEST {
                let what = format!("{FORMAT}: bytes of the pickle");
                return Err(Error::TooLarge { what, limit: LONGEST as u64, found: self.at as u64 + length as u64 });
            }
            return Err(self.wrong("it is cut off"));
        };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut chunk = [0; N];
        chunk.copy_from_slice(self.take(N)?);
        Ok(chunk)
    }

    fn line(&mut self) -> Result<&'a str> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take(256).position(|&byte| byte == b'\n');
        let length = length.ok_or_else(|| self.wrong("a line without an end"))?;
        let line = self.take(length + 1)?;
        std::str::from_utf8(&line[..length]).map_err(|_| self.wrong("a name that is not UTF-8"))
    }

    fn text(&mut self, length: u64) -> Result<()> {
        let length = usize::try_from(length).map_err(|_| self.wrong("it is cut off"))?;
        self.take(length)?;
        self.push(Value::Text(Span { start: self.at - length, end: self.at }));
        Ok(())
    }

    fn long(&mut self) -> Result<()> {
        let length = self.byte()?;
        let bytes = self.take(usize::from(length))?;
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut number = [if negative { 0xff } else { 0 }; 8];
        let value = match number.get_mut(..bytes.len()) {
            Some(low) => {
                low.copy_from_slice(bytes);
                Value::Whole(i64::from_le_bytes(number))
            }
            None => Value::Huge,
        };
        self.push(value);
        Ok(())
    }

    pub fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// The height below which nothing may be popped: what lies there stands before the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub fn pop(&mut self) -> Result<Value> {
        let value = if self.stack.len() > self.floor() { self.stack.pop() } else { None };
        value.ok_or_else(|| self.wrong("the stack is empty"))
    }

    pub fn top(&self) -> Result<Value> {
        let top = self.stack.last().filter(|_| self.stack.len() > self.floor());
        top.copied().ok_or_else(|| self.wrong("the stack is empty"))
    }

    fn since_mark(&mut self) -> Result<Vec<Value>> {
        let start = self.marks.pop().ok_or_else(|| self.wrong("no mark"))?;
        Ok(self.stack.split_off(start))
    }

    fn tuple(&mut self, from: usize) -> Result<()> {
        let start = self.objects.items.len();
        self.objects.items.extend(self.stack.drain(from..));
        self.push(Value::Tuple(Span { start, end: self.objects.items.len() }));
        Ok(())
    }

    fn list(&mut self, items: Vec<Value>) {
        self.push(Value::List(self.objects.lists.len()));
        self.objects.lists.push(items);
    }

    fn append(&mut self, items: Vec<Value>) -> Result<()> {
        match self.top()? {
            Value::List(list) => self.objects.lists[list].extend(items),
            _ => return Err(self.wrong("it appends to what is no list")),
        }
        Ok(())
    }

    pub fn dict(&mut self, pairs: Vec<(Value, Value)>) {
        self.push(Value::Dict(self.objects.dicts.len()));
        self.objects.dicts.push(pairs);
    }

    fn pairs(&self, items: &[Value]) -> Result<Vec<(Value, Value)>> {
        let (pairs, rest) = items.as_chunks::<2>();
        match rest {
            [] => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
            _ => Err(self.wrong("a key without a value")),
        }
    }

    fn insert(&mut self, pairs: Vec<(Value, Value)>) -> Result<()> {
        match self.top()? {
            Value::Dict(dict) => self.objects.dicts[dict].extend(pairs),
            _ => return Err(self.wrong("it sets items of what is no dictionary")),
        }
        Ok(())
    }

    fn remember(&mut self, place: usize) -> Result<()> {
        let value = self.top()?;
        self.memo.insert(place, value);
        Ok(())
    }

    fn recall(&mut self, place: usize) -> Result<()> {
        let value = self.memo.get(&place).copied();
        self.push(value.ok_or_else(|| self.wrong("it recalls what was not remembered"))?);
        Ok(())
    }
}
