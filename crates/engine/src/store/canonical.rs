//! One text per fact whatever the build: the fact as JSON, fields in the order in which the
//! contract declares them, unknown values left out, so that a new field changes no hash.

use super::StoreError;
use lastkey_contract::facts::Fact;
use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct};
use std::fmt;

/// The text of a fact, as the store keeps and hashes it.
pub(crate) fn payload(fact: &Fact) -> Result<String, StoreError> {
    let mut text = String::with_capacity(256);
    fact.serialize(Writer(&mut text))
        .map_err(|Unwritable(why)| StoreError::File(format!("a fact cannot be written: {why}")))?;
    Ok(text)
}

/// How a text stands within the text of a fact.
pub(crate) fn as_written(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 16);
    escaped(&mut out, value);
    out
}

/// Why a value has no text here: facts hold none such.
#[derive(Debug)]
struct Unwritable(String);

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Unwritable(why.to_string())
    }
}

fn text(out: &mut String, value: &str) {
    out.push('"');
    escaped(out, value);
    out.push('"');
}

fn escaped(out: &mut String, value: &str) {
    // Nearly all stand as they are; looking at every byte without stopping lets the processor take many at once.
    let plain = |byte: u8| (byte >= 0x20) & (byte != b'"') & (byte != b'\\');
    if value.bytes().fold(true, |all, byte| all & plain(byte)) {
        out.push_str(value);
        return;
    }
    let mut plain = 0;
    for (n, byte) in value.bytes().enumerate() {
        let escaped = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => {
                out.push_str(value.get(plain..n).unwrap_or_default());
                out.push_str(&format!("\\u{byte:04x}"));
                plain = n + 1;
                continue;
            }
            _ => continue,
        };
        out.push_str(value.get(plain..n).unwrap_or_default());
        out.push_str(escaped);
        plain = n + 1;
    }
    out.push_str(value.get(plain..).unwrap_or_default());
}

/// Writes one value at the end of a text.
struct Writer<'t>(&'t mut String);

/// Writes the fields of a struct or the entries of a map.
struct Fields<'t> {
    out: &'t mut String,
    any: bool,
    /// Where the text stood before the key of an entry whose value turns out to be unknown.
    before: usize,
}

impl<'t> Fields<'t> {
    fn open(out: &'t mut String, sign: char) -> Self {
        out.push(sign);
        let before = out.len();
        Fields {
            out,
            any: false,
            before,
        }
    }

    fn key(&mut self, key: &str) {
        self.before = self.out.len();
        if self.any {
            self.out.push(',');
        }
        text(self.out, key);
        self.out.push(':');
    }

    fn value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unwritable> {
        match value.serialize(Writer(self.out))? {
            Written::Value => self.any = true,
            Written::Nothing => self.out.truncate(self.before),
        }
        Ok(())
    }
}

/// Whether a value left anything behind.
enum Written {
    Value,
    Nothing,
}

impl SerializeStruct for Fields<'_> {
    type Ok = Written;
    type Error = Unwritable;
    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.key(key);
        self.value(value)
    }
    fn end(self) -> Result<Written, Unwritable> {
        self.out.push('}');
        Ok(Written::Value)
    }
}

impl SerializeMap for Fields<'_> {
    type Ok = Written;
    type Error = Unwritable;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.before = self.out.len();
        if self.any {
            self.out.push(',');
        }
        key.serialize(Writer(self.out))?;
        self.out.push(':');
        Ok(())
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.value(value)
    }
    fn end(self) -> Result<Written, Unwritable> {
        self.out.push('}');
        Ok(Written::Value)
    }
}

impl SerializeSeq for Fields<'_> {
    type Ok = Written;
    type Error = Unwritable;
    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.before = self.out.len();
        if self.any {
            self.out.push(',');
        }
        self.value(value)
    }
    fn end(self) -> Result<Written, Unwritable> {
        self.out.push(']');
        Ok(Written::Value)
    }
}

macro_rules! plain {
    ($($name:ident: $type:ty),+ $(,)?) => {
        $(fn $name(self, value: $type) -> Result<Written, Unwritable> {
            self.0.push_str(&value.to_string());
            Ok(Written::Value)
        })+
    };
}

fn unwritable<T>(what: &str) -> Result<T, Unwritable> {
    Err(Unwritable(format!("it holds {what}")))
}

impl<'t> ser::Serializer for Writer<'t> {
    type Ok = Written;
    type Error = Unwritable;
    type SerializeSeq = Fields<'t>;
    type SerializeTuple = Impossible<Written, Unwritable>;
    type SerializeTupleStruct = Impossible<Written, Unwritable>;
    type SerializeTupleVariant = Impossible<Written, Unwritable>;
    type SerializeMap = Fields<'t>;
    type SerializeStruct = Fields<'t>;
    type SerializeStructVariant = Impossible<Written, Unwritable>;

    plain! {
        serialize_bool: bool,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
    }

    fn serialize_str(self, value: &str) -> Result<Written, Unwritable> {
        text(self.0, value);
        Ok(Written::Value)
    }
    fn serialize_char(self, value: char) -> Result<Written, Unwritable> {
        text(self.0, value.encode_utf8(&mut [0; 4]));
        Ok(Written::Value)
    }
    fn serialize_none(self) -> Result<Written, Unwritable> {
        Ok(Written::Nothing)
    }
    fn serialize_unit(self) -> Result<Written, Unwritable> {
        Ok(Written::Nothing)
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Written, Unwritable> {
        value.serialize(self)
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
    ) -> Result<Written, Unwritable> {
        self.serialize_str(word)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Written, Unwritable> {
        value.serialize(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'t>, Unwritable> {
        Ok(Fields::open(self.0, '{'))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'t>, Unwritable> {
        Ok(Fields::open(self.0, '{'))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Fields<'t>, Unwritable> {
        Ok(Fields::open(self.0, '['))
    }

    fn serialize_f32(self, _: f32) -> Result<Written, Unwritable> {
        unwritable("a fraction")
    }
    fn serialize_f64(self, _: f64) -> Result<Written, Unwritable> {
        unwritable("a fraction")
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<Written, Unwritable> {
        unwritable("bytes")
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Written, Unwritable> {
        unwritable("an empty struct")
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Written, Unwritable> {
        unwritable("a variant with a value")
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unwritable> {
        unwritable("a tuple")
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Unwritable> {
        unwritable("a tuple")
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        unwritable("a tuple")
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        unwritable("a variant with fields")
    }
}
