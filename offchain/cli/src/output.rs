// SPDX-License-Identifier: Apache-2.0
//! Tables for people, JSON for scripts.

use std::io::Write;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableComponent, presets};
use serde::Serialize;

use crate::error::CliError;

/// Where and how a subcommand answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// `--json`.
    pub(crate) json: bool,
}

impl Output {
    /// Prints a value as pretty JSON.
    ///
    /// # Errors
    ///
    /// [`CliError::Work`] when standard output is closed.
    pub(crate) fn json<T: Serialize>(self, value: &T) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(|e| CliError::work(&e))?;
        line(&text)
    }
}

/// Prints a line; a closed pipe ends the process quietly, as other tools do.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(CliError::Work(format!("cannot write to standard output: {e}"))),
        Ok(()) => Ok(()),
    }
}

/// A table whose first `left` columns are text and the rest numbers, flush right.
pub(crate) fn table(header: &[&str], left: usize, rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_header(header.iter().enumerate().map(|(i, name)| align(Cell::new(name), i, left)));
    for row in rows {
        table.add_row(row.into_iter().enumerate().map(|(i, text)| align(Cell::new(text), i, left)));
    }
    table
}

fn align(cell: Cell, column: usize, left: usize) -> Cell {
    cell.set_alignment(if column < left { CellAlignment::Left } else { CellAlignment::Right })
}

/// Rao as TAO with four decimals, rounded down.
pub(crate) fn tao(rao: u64) -> String {
    format!("{}.{:04}", rao / 1_000_000_000, rao % 1_000_000_000 / 100_000)
}

/// A part of `whole` as a percentage with two decimals, rounded to nearest.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let bp = (u128::from(part) * 10_000 + u128::from(whole) / 2) / u128::from(whole);
    format!("{}.{:02} %", bp / 100, bp % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_aligned_decimals_when_given_rao() {
        assert_eq!(tao(1_234_567_890), "1.2345");
        assert_eq!(tao(99_999), "0.0000");
    }

    #[test]
    fn percent_rounds_to_nearest_when_the_third_digit_is_five() {
        assert_eq!(percent(65_535, 436_900), "15.00 %");
        assert_eq!(percent(1, 0), "-");
        assert_eq!(percent(1, 3), "33.33 %");
    }
}
