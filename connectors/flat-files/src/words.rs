//! The words that a column takes, and what to write where a cell has another.

use crate::header::Shape;
use lastkey_contract::Kind;
pub use lastkey_contract::facts::words;

/// What a cell is that is none of its column's words.
pub const NO_WORD: &str = "is not one of the known words";
/// What a cell is that should say yes or no.
pub const NO_BOOLEAN: &str = "is not a boolean";
/// What a cell is that a recipe knows neither as one thing nor as the other.
pub const NO_RECIPE_WORD: &str = "is not a word that the recipe knows";
/// What a cell is that should be a date.
pub const NO_DATE: &str = "is neither a date nor an RFC 3339 time";

/// What may be written there instead, to follow what is wrong; empty where that says it all.
pub fn advice(kind: Kind, shape: Shape, column: &str, class: &str) -> String {
    let mapped = |to: &str| {
        let of = match shape {
            Shape::Folder => format!("{}.", kind.plural()),
            Shape::Single => String::new(),
        };
        format!("say what another one stands for with --map '{of}{column}.OTHER={to}'")
    };
    match class {
        NO_WORD => {
            let known = words(kind, column).unwrap_or_default();
            let first = known.first().copied().unwrap_or_default();
            format!(" ({}; {})", known.join(", "), mapped(first))
        }
        NO_BOOLEAN => format!(" (true, yes, 1, false, no, 0; {})", mapped("true")),
        NO_RECIPE_WORD => format!(" ({})", mapped("true")),
        NO_DATE => {
            " (write 2026-11-20 or 2026-11-20T08:30:00Z, or say how with `time_format`)".to_owned()
        }
        _ => String::new(),
    }
}

/// What spreadsheets write for true and false in the languages that they speak, in small letters.
const TRUE: [&str; 16] = [
    "wahr",
    "vrai",
    "verdadero",
    "vero",
    "verdadeiro",
    "waar",
    "sant",
    "sand",
    "sann",
    "tosi",
    "prawda",
    "pravda",
    "igaz",
    "adevărat",
    "doğru",
    "истина",
];
const FALSE: [&str; 16] = [
    "falsch",
    "faux",
    "falso",
    "onwaar",
    "falskt",
    "falsk",
    "usann",
    "epätosi",
    "fałsz",
    "nepravda",
    "hamis",
    "fals",
    "yanliş",
    "yanlış",
    "yanli\u{307}ş",
    "ложь",
];

/// Yes or no, however it is written; None for what says neither.
pub fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "y" | "t" => Some(true),
        "false" | "no" | "0" | "n" | "f" => Some(false),
        other if TRUE.contains(&other) => Some(true),
        other if FALSE.contains(&other) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_and_no_are_understood_as_databases_and_spreadsheets_write_them() {
        for (text, says) in [
            ("true", Some(true)),
            ("TRUE", Some(true)),
            ("Yes", Some(true)),
            ("Y", Some(true)),
            ("1", Some(true)),
            ("t", Some(true)),
            ("WAHR", Some(true)),
            ("VRAI", Some(true)),
            ("False", Some(false)),
            ("NO", Some(false)),
            ("n", Some(false)),
            ("0", Some(false)),
            ("FALSCH", Some(false)),
            ("EPÄTOSI", Some(false)),
            ("ЛОЖЬ", Some(false)),
            ("", None),
            ("x", None),
            ("2", None),
            ("maybe", None),
        ] {
            assert_eq!(truth(text), says, "{text}");
        }
    }
    use crate::header;
    use crate::map::fact;
    use crate::mapping::Mapping;
    use crate::table::Cells;

    /// Every column that refuses a word for not being known says which are.
    #[test]
    fn a_column_of_words_tells_its_words() {
        let mut met = 0;
        let clock = crate::clock::Clock::new(chrono_tz::UTC, "", false).unwrap();
        for kind in Kind::ALL {
            let all: Vec<&str> = crate::columns(kind).iter().map(|c| c.name).collect();
            let cells = Cells::of(&all);
            let header = header::bind(
                "x",
                "x.csv",
                kind,
                Shape::Folder,
                &Mapping::default(),
                &cells,
            )
            .unwrap();
            // Known words in all columns of words but one; nothing is wrong before it.
            for (at, column) in all.iter().enumerate() {
                let cell = |(place, name): (usize, &&str)| match words(kind, name) {
                    _ if place == at => "no such word",
                    Some(known) => known[0],
                    None if name.ends_with("_id") || ["id", "path", "system"].contains(name) => "x",
                    None => "",
                };
                let row: Vec<&str> = all.iter().enumerate().map(cell).collect();
                let problem = fact(kind, &header, &Cells::of(&row), &clock).err();
                let Some(problem) = problem.filter(|problem| problem.class == NO_WORD) else {
                    assert!(words(kind, column).is_none(), "{kind} {column}: taken");
                    continue;
                };
                assert!(words(kind, &problem.column).is_some(), "{kind} {column}");
                met += 1;
            }
        }
        assert_eq!(met, 16, "columns of words");
    }
}
