// SPDX-License-Identifier: Apache-2.0

//! The prompts, written from drawn values and read back from their text.

use super::{Expected, FieldKind, FieldValue, Message, Recognised, Schema, Task, draw::Draw};

const SUBJECTS: [&str; 40] = [
    "how tides come about",
    "why bread dough rises",
    "what a hash function does",
    "how a sailing boat moves against the wind",
    "why leaves change colour in autumn",
    "how vaccines prepare the body",
    "what inflation means",
    "how a compiler differs from an interpreter",
    "why the sky is blue",
    "how glaciers shape valleys",
    "what a median says that a mean does not",
    "how bees choose a new home",
    "why metal feels colder than wood",
    "how a refrigerator works",
    "what a public key is for",
    "how earthquakes are measured",
    "why ships of steel float",
    "how a violin makes its sound",
    "what compound interest is",
    "how rainbows form",
    "why computers count in binary",
    "how yeast and bacteria differ",
    "what a load balancer does",
    "how maps show height",
    "why salt melts ice",
    "how an election by ranking works",
    "what a cache is good for",
    "how birds navigate",
    "why clocks were set by railways",
    "how a lock on a canal works",
    "what a queue is in computing",
    "how soap cleans",
    "why stars twinkle",
    "how a bicycle stays upright",
    "what a patent protects",
    "how paper is recycled",
    "why bridges have expansion joints",
    "how sonar finds the sea floor",
    "what a control group is",
    "how coffee is decaffeinated",
];

const AUDIENCES: [&str; 16] = [
    "a curious child",
    "a new colleague",
    "a retired teacher",
    "a busy manager",
    "a student of law",
    "a gardener",
    "a visitor at a museum",
    "a class of twelve-year-olds",
    "a journalist",
    "an amateur astronomer",
    "a nurse on a break",
    "a carpenter",
    "a chess player",
    "someone who reads it aloud",
    "a shop assistant",
    "an exchange student",
];

const PLACES: [&str; 24] = [
    "Lisbon", "Tromso", "Nairobi", "Osaka", "Cusco", "Galway", "Ankara", "Riga", "Hobart", "Quebec", "Accra", "Hanoi",
    "Basel", "Split", "Austin", "Pune", "Bergen", "Dakar", "Seville", "Tartu", "Leeds", "Turin", "Lund", "Gdansk",
];

const FIRST_NAMES: [&str; 24] = [
    "Mara", "Jonas", "Aiko", "Pedro", "Lena", "Omar", "Ines", "Tomas", "Nadia", "Felix", "Rosa", "Viktor", "Elif",
    "Hugo", "Sana", "Piotr", "Ada", "Bruno", "Yara", "Emil", "Tove", "Karim", "Lucia", "Anton",
];

const LAST_NAMES: [&str; 20] = [
    "Lindqvist",
    "Okafor",
    "Tanaka",
    "Moreau",
    "Silva",
    "Novak",
    "Haddad",
    "Keller",
    "Byrne",
    "Rossi",
    "Jansen",
    "Yilmaz",
    "Costa",
    "Berg",
    "Ferrari",
    "Nowak",
    "Virtanen",
    "Marino",
    "Dubois",
    "Horvat",
];

const PRODUCTS: [&str; 20] = [
    "copper wire",
    "oak boards",
    "glass jars",
    "wool blankets",
    "bicycle chains",
    "paper bags",
    "ceramic tiles",
    "steel hinges",
    "candle wax",
    "linen sheets",
    "rubber seals",
    "brass screws",
    "garden hoses",
    "work gloves",
    "cork stoppers",
    "paint brushes",
    "roof slates",
    "tin boxes",
    "cotton rope",
    "leather straps",
];

const NOTE_SCHEMA: [(&str, FieldKind); 5] = [
    ("customer", FieldKind::Text),
    ("city", FieldKind::Text),
    ("product", FieldKind::Text),
    ("quantity", FieldKind::Integer),
    ("unit_price_cents", FieldKind::Integer),
];

const NOTE_REQUEST: &str = "Extract the order as a JSON object with exactly the keys customer (string), city (string), \
     product (string), quantity (integer) and unit_price_cents (integer). Reply with the JSON object only.\nNote: ";

const INTEGER_ONLY: &str = "\nReply with the integer only.";

pub(super) fn chat(draw: &mut Draw) -> Task {
    let subject = draw.pick(&SUBJECTS);
    let audience = draw.pick(&AUDIENCES);
    let sentences = draw.between(2, 4);
    let place = draw.pick(&PLACES);
    let prompt =
        format!("Explain {subject} to {audience} in {sentences} sentences. Set your example in {place}, on day {}.", {
            draw.between(1, 365)
        });
    task("chat", prompt, 96, draw, None, None)
}

pub(super) fn math(draw: &mut Draw) -> Task {
    let (prompt, value) = match draw.between(0, 2) {
        0 => {
            let (a, b) = (draw.between(112, 989), draw.between(13, 97));
            let (c, d) = (draw.between(100, 9_999), draw.between(11, 999));
            (format!("Compute {a} * {b} + {c} - {d}."), product_sum(a, b, c, d))
        }
        1 => {
            let (a, b) = (draw.between(12, 97), draw.between(110, 480));
            let (c, d) = (draw.between(100, 999), draw.between(11, 999));
            let prompt = format!(
                "A depot holds {a} crates of {b} bolts each. It receives {c} loose bolts and ships {d}. How many bolts are left?"
            );
            (prompt, product_sum(a, b, c, d))
        }
        _ => {
            let terms = [draw.between(101, 999), draw.between(101, 999), draw.between(101, 999), draw.between(11, 99)];
            let factor = draw.between(3, 29);
            let [a, b, c, d] = terms;
            let prompt = format!("Add the integers {a}, {b}, {c} and {d}, then multiply the sum by {factor}.");
            (prompt, scaled_sum(&terms, factor))
        }
    };
    task("math", format!("{prompt}{INTEGER_ONLY}"), 64, draw, Some(Expected::Integer(value)), None)
}

pub(super) fn json(draw: &mut Draw) -> Task {
    let customer = format!("{} {}", draw.pick(&FIRST_NAMES), draw.pick(&LAST_NAMES));
    let city = draw.pick(&PLACES);
    let product = draw.pick(&PRODUCTS);
    let (quantity, price) = (draw.between(2, 480), draw.between(15, 9_900));
    let order = draw.between(10_000, 99_999);
    let prompt = format!(
        "{NOTE_REQUEST}Order {order}: {customer} from {city} wants {quantity} units of {product} at {price} cents each."
    );
    let expected = fields(&customer, city, product, quantity, price);
    task("json", prompt, 128, draw, Some(expected), Some(note_schema()))
}

fn task(
    task_type: &'static str,
    prompt: String,
    max_tokens: u32,
    draw: &mut Draw,
    expected: Option<Expected>,
    schema: Option<Schema>,
) -> Task {
    Task {
        task_type,
        messages: vec![Message { role: "user".to_owned(), content: prompt }],
        max_tokens,
        seed: u64::from(draw.next_u32() >> 1),
        temperature: 0,
        expected,
        schema,
    }
}

fn product_sum(a: i64, b: i64, c: i64, d: i64) -> i64 {
    a.saturating_mul(b).saturating_add(c).saturating_sub(d)
}

fn scaled_sum(terms: &[i64], factor: i64) -> i64 {
    terms.iter().copied().fold(0, i64::saturating_add).saturating_mul(factor)
}

fn fields(customer: &str, city: &str, product: &str, quantity: i64, price: i64) -> Expected {
    let text = |value: &str| FieldValue::Text(value.to_owned());
    let number = FieldValue::Integer;
    Expected::Fields(vec![text(customer), text(city), text(product), number(quantity), number(price)])
}

fn note_schema() -> Schema {
    Schema { keys: NOTE_SCHEMA.to_vec() }
}

pub(super) fn recognise(messages: &[Message]) -> Option<Recognised> {
    let prompt = messages.iter().rev().find(|message| message.role == "user")?.content.as_str();
    if prompt.starts_with("Explain ") && prompt.contains(" sentences. Set your example in ") {
        return Some(Recognised { task_type: "chat", expected: None, schema: None });
    }
    if let Some(question) = prompt.strip_suffix(INTEGER_ONLY) {
        let value = solve(question)?;
        return Some(Recognised { task_type: "math", expected: Some(Expected::Integer(value)), schema: None });
    }
    let note = prompt.strip_prefix(NOTE_REQUEST)?;
    let (_, order) = note.split_once(": ")?;
    let (customer, rest) = order.split_once(" from ")?;
    let (city, rest) = rest.split_once(" wants ")?;
    let (quantity, rest) = rest.split_once(" units of ")?;
    let (product, price) = rest.strip_suffix(" cents each.")?.split_once(" at ")?;
    let expected = fields(customer, city, product, quantity.parse().ok()?, price.parse().ok()?);
    Some(Recognised { task_type: "json", expected: Some(expected), schema: Some(note_schema()) })
}

fn solve(question: &str) -> Option<i64> {
    let numbers: Vec<i64> = question
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    match numbers.as_slice() {
        [a, b, c, d] if question.starts_with("Compute ") || question.starts_with("A depot ") => {
            Some(product_sum(*a, *b, *c, *d))
        }
        [terms @ .., factor] if question.starts_with("Add the integers ") => Some(scaled_sum(terms, *factor)),
        _ => None,
    }
}
