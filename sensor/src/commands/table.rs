//! Aligned columns for people.

use std::fmt;

use crate::text::printable;

/// As wide as a table gets: half a wide screen, and most of a small one.
pub(super) const WIDTH: usize = 100;

/// Rows under headings. The last column takes the room that is left, and is cut to it.
pub(super) struct Table<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[Cell; N]>,
}

/// What stands in one place.
pub(super) struct Cell {
    text: String,
    side: Side,
    /// Colour (ECMA-48), where there is any.
    colour: Option<&'static str>,
}

#[derive(PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Cell {
    /// A name, at most so many characters of it; harmless whatever it says.
    pub(super) fn name(name: &str, most: usize) -> Self {
        Self::text(cut(&printable(name).to_string(), most))
    }

    /// Text of ours.
    pub(super) fn text(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), side: Side::Left, colour: None }
    }

    /// A number, which stands to the right.
    pub(super) fn number(number: impl fmt::Display) -> Self {
        Self { side: Side::Right, ..Self::text(number) }
    }

    /// The same in colour.
    pub(super) fn coloured(self, colour: Option<&'static str>) -> Self {
        Self { colour, ..self }
    }
}

impl<const N: usize> Table<N> {
    pub(super) fn new(headings: [&'static str; N]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, row: [Cell; N]) {
        self.rows.push(row);
    }

    /// Each line with `indent` before it.
    pub(super) fn under(&self, indent: &str) -> impl fmt::Display {
        fmt::from_fn(move |f| self.write(f, indent))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        let mut widths = self.headings.map(length);
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(length(&cell.text));
            }
        }
        let before: usize = widths.iter().take(N - 1).map(|width| width + 2).sum();
        if let Some(last) = widths.last_mut() {
            *last = (*last).min(WIDTH.saturating_sub(indent.len() + before).max(8));
        }
        let side = |column: usize| Some(&self.rows.first()?.get(column)?.side);
        let headings = self
            .headings
            .iter()
            .enumerate()
            .map(|(column, heading)| (*heading, side(column) == Some(&Side::Right), None));
        line(f, indent, &widths, headings)?;
        for row in &self.rows {
            let cells =
                row.iter().map(|cell| (cell.text.as_str(), cell.side == Side::Right, cell.colour));
            line(f, indent, &widths, cells)?;
        }
        Ok(())
    }
}

fn line<'a>(
    f: &mut fmt::Formatter<'_>,
    indent: &str,
    widths: &[usize],
    cells: impl Iterator<Item = (&'a str, bool, Option<&'static str>)>,
) -> fmt::Result {
    let mut line = indent.to_owned();
    for (width, (text, to_the_right, colour)) in widths.iter().zip(cells) {
        let text = cut(text, *width);
        let fill = " ".repeat(width.saturating_sub(length(&text)));
        if to_the_right {
            line += &fill;
        }
        match colour {
            Some(colour) => line += &format!("\x1b[{colour}m{text}\x1b[0m"),
            None => line += &text,
        }
        line += if to_the_right { "" } else { &fill };
        line += "  ";
    }
    writeln!(f, "{}", line.trim_end())
}

fn cut(text: &str, width: usize) -> String {
    if length(text) <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_the_last_is_cut() {
        let mut table = Table::new(["NAME", "COUNT", "WHAT"]);
        table.row([Cell::name("a\x1b[2J", 20), Cell::number("1,204"), Cell::text("short")]);
        table.row([Cell::name(&"b".repeat(30), 20), Cell::number(7), Cell::text("x".repeat(99))]);
        let text = table.under(" ").to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], " NAME                  COUNT  WHAT");
        assert_eq!(lines[1], r" a\x1b[2J              1,204  short");
        assert!(lines[2].starts_with(" bbbbbbbbbbbbbbbbbbb…      7  xxxx"), "{}", lines[2]);
        assert!(lines[2].ends_with("x…"));
        assert_eq!(lines[2].chars().count(), WIDTH);
    }
}
