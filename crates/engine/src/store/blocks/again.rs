//! Blocks that are looked into twice in one moment of the file: first for what they tell of the past,
//! then with all others.

use super::visit::{Columns, Row};
use std::collections::HashMap;

/// Such blocks as they were read: decrypting them takes longer than unpacking them again.
pub(in super::super) struct Again {
    rows: HashMap<i64, Row>,
    columns: Columns,
    room: usize,
}

/// How many bytes are kept at most.
const KEPT: usize = 96 << 20;

impl Again {
    /// Whatever is read is read again.
    pub fn none() -> Again {
        Again {
            rows: HashMap::new(),
            columns: Columns::Nothing,
            room: 0,
        }
    }

    /// As many as there is room for.
    pub fn some() -> Again {
        Again {
            room: KEPT,
            ..Again::none()
        }
    }

    /// Facts are long: only outlines are kept.
    pub(super) fn keep(&mut self, rows: Vec<Row>, columns: Columns) {
        if columns != Columns::Outlined {
            return;
        }
        self.columns = columns;
        for row in rows {
            let bytes = [&row.6, &row.7, &row.8, &row.12, &row.13];
            let size = bytes.into_iter().flatten().map(Vec::len).sum();
            if let Some(room) = self.room.checked_sub(size) {
                self.room = room;
                self.rows.insert(row.0, row);
            }
        }
    }

    pub(super) fn take(&mut self, ids: &[i64], columns: Columns) -> Vec<Row> {
        match self.rows.is_empty() || columns != self.columns {
            true => Vec::new(),
            false => ids.iter().filter_map(|id| self.rows.remove(id)).collect(),
        }
    }
}
