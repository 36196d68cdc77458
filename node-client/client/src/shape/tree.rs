// SPDX-License-Identifier: Apache-2.0

use std::fmt;

use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};

/// Types nest no deeper than this, or they are recursive.
const MAX_DEPTH: u8 = 32;

/// A type as it matters on the wire: structures of one field are looked through, so `NetUid(u16)` is `u16`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `u8` ..= `u256`.
    Unsigned(String),
    /// `bool`, `str`, `enum Name`, and whatever has no other word.
    Named(String),
    Compact(Box<Shape>),
    Optional(Box<Shape>),
    List(Box<Shape>),
    Array(Box<Shape>, u32),
    Tuple(Vec<Shape>),
    Struct(Vec<(String, Shape)>),
}

/// What a shape is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Values are read: what is not asked for may be there too.
    Read,
    /// Values are written: nothing may be there that is not given.
    Write,
}

impl Shape {
    /// The shape of a type in a registry.
    pub(crate) fn of(types: &PortableRegistry, id: u32) -> Self {
        Self::at(types, id, 0)
    }

    fn at(types: &PortableRegistry, id: u32, depth: u8) -> Self {
        let Some(ty) = types.resolve(id).filter(|_| depth < MAX_DEPTH) else { return Self::Named("?".into()) };
        let inner = |id: u32| Self::at(types, id, depth.saturating_add(1));
        match &ty.type_def {
            TypeDef::Composite(composite) => match composite.fields.as_slice() {
                [] => Self::Tuple(Vec::new()),
                [only] => inner(only.ty.id),
                fields => match fields.iter().map(|field| field.name.clone()).collect::<Option<Vec<_>>>() {
                    Some(names) => {
                        let shapes = fields.iter().map(|field| inner(field.ty.id));
                        Self::Struct(names.into_iter().zip(shapes).collect())
                    }
                    None => Self::Tuple(fields.iter().map(|field| inner(field.ty.id)).collect()),
                },
            },
            TypeDef::Tuple(tuple) => Self::Tuple(tuple.fields.iter().map(|field| inner(field.id)).collect()),
            TypeDef::Variant(variant) => match (ty.path.ident(), variant.variants.as_slice()) {
                (Some(name), [_, some]) if name == "Option" => match some.fields.as_slice() {
                    [field] => Self::Optional(Box::new(inner(field.ty.id))),
                    _ => Self::Named("?".into()),
                },
                (name, _) => Self::Named(format!("enum {}", name.unwrap_or_default())),
            },
            TypeDef::Sequence(sequence) => Self::List(Box::new(inner(sequence.type_param.id))),
            TypeDef::Array(array) => Self::Array(Box::new(inner(array.type_param.id)), array.len),
            TypeDef::Compact(compact) => Self::Compact(Box::new(inner(compact.type_param.id))),
            TypeDef::BitSequence(_) => Self::Named("bits".into()),
            TypeDef::Primitive(primitive) => primitive_shape(primitive),
        }
    }

    /// Reads a shape as [`Display`](fmt::Display) writes it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (shape, rest) = parse(text.trim())?;
        rest.trim().is_empty().then_some(shape)
    }

    /// Reads `name: shape, name: shape`, as the arguments of a call.
    pub(crate) fn parse_fields(text: &str) -> Option<Vec<(String, Self)>> {
        match Self::parse(&format!("{{{text}}}"))? {
            Self::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// Whether values of the shape `wanted` can be read from, or written to, this one.
    ///
    /// Integers of other widths, compact or not, can: a value that does not fit is refused by its name. Bytes cannot be
    /// anything but bytes, and arrays keep their length.
    pub(crate) fn serves(&self, wanted: &Self, purpose: Purpose) -> bool {
        let byte = Self::Unsigned("u8".into());
        let items = |found: &Self, wanted: &Self| {
            if found == &byte || wanted == &byte { found == wanted } else { found.serves(wanted, purpose) }
        };
        match (self, wanted) {
            (Self::Compact(found), Self::Compact(wanted)) => found.serves(wanted, purpose),
            (Self::Compact(inner), Self::Unsigned(_)) => matches!(**inner, Self::Unsigned(_)),
            (Self::Unsigned(_), Self::Compact(inner)) => matches!(**inner, Self::Unsigned(_)),
            (Self::Unsigned(_), Self::Unsigned(_)) => true,
            (Self::Named(found), Self::Named(wanted)) => found == wanted,
            (Self::Optional(found), Self::Optional(wanted)) => found.serves(wanted, purpose),
            (Self::List(found), Self::List(wanted)) => items(found, wanted),
            (Self::Array(found, size), Self::Array(wanted, length)) => size == length && items(found, wanted),
            (Self::Tuple(found), Self::Tuple(wanted)) => {
                found.len() == wanted.len() && found.iter().zip(wanted).all(|(f, w)| f.serves(w, purpose))
            }
            (Self::Struct(found), Self::Struct(wanted)) => fields_serve(found, wanted, purpose),
            _ => false,
        }
    }
}

/// Whether fields can be served by name.
pub(crate) fn fields_serve(found: &[(String, Shape)], wanted: &[(String, Shape)], purpose: Purpose) -> bool {
    let complete = purpose == Purpose::Read || found.len() == wanted.len();
    complete
        && wanted.iter().all(|(name, wanted)| {
            found.iter().find(|(found, _)| found == name).is_some_and(|(_, found)| found.serves(wanted, purpose))
        })
}

fn primitive_shape(primitive: &TypeDefPrimitive) -> Shape {
    let unsigned = |name: &str| Shape::Unsigned(name.into());
    let named = |name: &str| Shape::Named(name.into());
    match primitive {
        TypeDefPrimitive::Bool => named("bool"),
        TypeDefPrimitive::Char => named("char"),
        TypeDefPrimitive::Str => named("str"),
        TypeDefPrimitive::U8 => unsigned("u8"),
        TypeDefPrimitive::U16 => unsigned("u16"),
        TypeDefPrimitive::U32 => unsigned("u32"),
        TypeDefPrimitive::U64 => unsigned("u64"),
        TypeDefPrimitive::U128 => unsigned("u128"),
        TypeDefPrimitive::U256 => unsigned("u256"),
        TypeDefPrimitive::I8 => named("i8"),
        TypeDefPrimitive::I16 => named("i16"),
        TypeDefPrimitive::I32 => named("i32"),
        TypeDefPrimitive::I64 => named("i64"),
        TypeDefPrimitive::I128 => named("i128"),
        TypeDefPrimitive::I256 => named("i256"),
    }
}

/// A shape at the start of a text, and what follows it.
fn parse(text: &str) -> Option<(Shape, &str)> {
    type Wrap = fn(Box<Shape>) -> Shape;
    const WRAPPERS: [(&str, Wrap); 3] =
        [("Vec<", Shape::List), ("Option<", Shape::Optional), ("Compact<", Shape::Compact)];
    let text = text.trim_start();
    for (head, wrap) in WRAPPERS {
        if let Some(inner) = text.strip_prefix(head) {
            let (shape, rest) = parse(inner)?;
            return Some((wrap(Box::new(shape)), rest.trim_start().strip_prefix('>')?));
        }
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (shape, rest) = parse(inner)?;
        let (size, rest) = rest.trim_start().strip_prefix(';')?.split_once(']')?;
        return Some((Shape::Array(Box::new(shape), size.trim().parse().ok()?), rest));
    }
    if let Some(mut rest) = text.strip_prefix('(') {
        let mut fields = Vec::new();
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if let Some(rest) = rest.strip_prefix(')') {
                return Some((Shape::Tuple(fields), rest));
            }
            let (shape, after) = parse(rest)?;
            fields.push(shape);
            rest = after;
        }
    }
    if let Some(mut rest) = text.strip_prefix('{') {
        let mut fields = Vec::new();
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if let Some(rest) = rest.strip_prefix('}') {
                return Some((Shape::Struct(fields), rest));
            }
            let (name, after) = rest.split_once(':')?;
            let (shape, after) = parse(after)?;
            fields.push((name.trim().to_owned(), shape));
            rest = after;
        }
    }
    let end = text.find([',', ')', '}', ']', '>', ';']).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    let shape = match word {
        "" => return None,
        "u8" | "u16" | "u32" | "u64" | "u128" | "u256" => Shape::Unsigned(word.into()),
        word => Shape::Named(word.into()),
    };
    Some((shape, rest))
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(name) | Self::Named(name) => f.write_str(name),
            Self::Compact(inner) => write!(f, "Compact<{inner}>"),
            Self::Optional(inner) => write!(f, "Option<{inner}>"),
            Self::List(inner) => write!(f, "Vec<{inner}>"),
            Self::Array(inner, size) => write!(f, "[{inner}; {size}]"),
            Self::Tuple(fields) => {
                let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
                write!(f, "({})", fields.join(", "))
            }
            Self::Struct(fields) => write!(f, "{{{}}}", describe_fields(fields)),
        }
    }
}

/// `name: shape, name: shape`.
pub(crate) fn describe_fields(fields: &[(String, Shape)]) -> String {
    fields.iter().map(|(name, shape)| format!("{name}: {shape}")).collect::<Vec<_>>().join(", ")
}
