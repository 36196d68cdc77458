// SPDX-License-Identifier: Apache-2.0

//! Named blocks and table rows of a Markdown page, and what they should be.

use clawrank_protocol::proof::{Domain, Hash};
use codec::Encode;

/// A fenced block; its title is what stands behind the fence.
pub(crate) struct Block<'p> {
    pub(crate) title: &'p str,
    lines: Vec<&'p str>,
}

/// A page's blocks, but for those of plain text, and its lines.
pub(crate) struct Page<'p> {
    pub(crate) blocks: Vec<Block<'p>>,
    lines: Vec<&'p str>,
}

impl<'p> Page<'p> {
    pub(crate) fn parse(text: &'p str) -> Self {
        let (mut blocks, mut open) = (Vec::new(), None::<Block<'p>>);
        for line in text.lines() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(title), None) => open = Some(Block { title, lines: Vec::new() }),
                (None, Some(block)) => block.lines.push(line.trim()),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "a block is not closed");
        blocks.retain(|block| block.title != "text");
        Self { blocks, lines: text.lines().collect() }
    }

    fn block(&self, title: &str) -> Option<&Block<'p>> {
        self.blocks.iter().find(|block| block.title == title)
    }
}

fn concat(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    fields.iter().flat_map(|(_, bytes)| bytes.clone()).collect()
}

/// How a block is compared.
enum Expected {
    /// Line by line.
    Lines(Vec<String>),
    /// All lines joined.
    Joined(String),
}

/// Everything the page must have.
#[derive(Default)]
pub(crate) struct Examples {
    blocks: Vec<(String, Expected)>,
    rows: Vec<String>,
    /// Long texts that have a name, for `‹name›`.
    names: Vec<(String, String)>,
}

/// Lower-case digits of an encoded value.
pub(crate) fn hex<T: Encode + ?Sized>(value: &T) -> String {
    ::hex::encode(value.encode())
}

impl Examples {
    /// A block of wire text: the frames or bodies one after the other.
    pub(crate) fn json(&mut self, name: &str, wire: &[String]) {
        let joined: Vec<String> = wire.iter().map(|text| self.shortened(text)).collect();
        self.blocks.push((format!("json {name}"), Expected::Joined(joined.concat())));
    }

    /// A block compared line by line.
    pub(crate) fn lines(&mut self, title: &str, lines: Vec<String>) {
        self.blocks.push((title.to_owned(), Expected::Lines(lines)));
    }

    /// A block with bytes, broken anywhere.
    pub(crate) fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.blocks.push((format!("hex {name}"), Expected::Joined(::hex::encode(bytes))));
    }

    /// A block with an encoded struct, a field per line. Returns its bytes.
    pub(crate) fn fields(&mut self, name: &str, fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
        self.lines(&format!("hex {name}"), fields.iter().map(|(_, bytes)| ::hex::encode(bytes)).collect());
        concat(fields)
    }

    /// Rows `| offset | size | field | value |` of an encoded struct. Returns its bytes.
    pub(crate) fn layout(&mut self, fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut offset = 0;
        for (name, bytes) in fields {
            let numbers = [offset, bytes.len()].map(|number| number.to_string());
            self.row(&[&numbers[0], &numbers[1], &format!("`{name}`"), &format!("`{}`", ::hex::encode(bytes))]);
            offset += bytes.len();
        }
        concat(fields)
    }

    /// From now on `‹name›` stands for these bytes in `json` blocks.
    pub(crate) fn name(&mut self, name: &str, bytes: &[u8]) {
        self.names.push((format!("‹{name}›"), ::hex::encode(bytes)));
    }

    /// Cells that stand side by side in some row.
    pub(crate) fn row(&mut self, cells: &[&str]) {
        self.rows.push(format!("| {} |", cells.join(" | ")));
    }

    /// A row with a name and its value as code.
    pub(crate) fn value(&mut self, name: &str, value: &str) {
        self.row(&[name, &format!("`{value}`")]);
    }

    /// The row of a domain and what the page's example of it signs.
    pub(crate) fn signed(&mut self, domain: Domain, payload: &Hash) {
        let text = core::str::from_utf8(domain.bytes()).unwrap();
        self.value(&format!("`{text}`"), &hex(payload));
    }

    pub(crate) fn has(&self, block: &Block<'_>) -> bool {
        self.blocks.iter().any(|(title, _)| title == block.title)
    }

    fn shortened(&self, text: &str) -> String {
        self.names.iter().rev().fold(text.to_owned(), |text, (name, long)| text.replace(long, name))
    }

    /// What the page lacks or has otherwise, each with what it should be.
    pub(crate) fn differences(&self, page: &Page<'_>) -> Vec<String> {
        let blocks = self.blocks.iter().filter_map(|(title, expected)| {
            let found = page.block(title);
            let (same, text) = match expected {
                Expected::Lines(lines) => (found.is_some_and(|block| block.lines == *lines), lines.join("\n")),
                Expected::Joined(text) => (found.is_some_and(|block| block.lines.concat() == *text), text.clone()),
            };
            (!same).then(|| format!("```{title}\n{text}\n```"))
        });
        let rows = self.rows.iter().filter(|row| !page.lines.iter().any(|line| line.contains(row.as_str())));
        blocks.chain(rows.cloned()).collect()
    }
}
