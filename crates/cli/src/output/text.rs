//! Text for people: tables, and strings from elsewhere made harmless.

use comfy_table::{CellAlignment, ContentArrangement, presets};

/// A text from elsewhere as a terminal may show it.
///
/// SECURITY: names, paths and messages can come from strangers; an escape sequence in one would
/// move the cursor, hide lines or set the terminal's title.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            c if c.is_control() || is_invisible(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Direction overrides and isolates reorder what a reader sees (Unicode TR36 §2.7).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A table without borders.
#[derive(Debug)]
pub(crate) struct Table {
    inner: comfy_table::Table,
    rows: usize,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(header.iter().map(|name| name.to_uppercase()));
        for column in inner.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self { inner, rows: 0 }
    }

    /// Numbers in these columns stand at the right.
    pub(crate) fn right(mut self, columns: &[usize]) -> Self {
        for column in columns {
            if let Some(column) = self.inner.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    pub(crate) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        // One entry is one line, whatever its texts hold.
        let cells = cells
            .into_iter()
            .map(|cell| clean(&cell).replace('\n', " "));
        self.inner.add_row(cells);
        self.rows += 1;
    }

    /// The table, or `empty` when it has no row.
    pub(crate) fn render(&self, empty: &str) -> String {
        if self.rows == 0 {
            return format!("{empty}\n");
        }
        let mut text = String::new();
        for line in self.inner.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
