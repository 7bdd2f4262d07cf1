//! The page docs/recipes.md, written from the recipes themselves.

use super::{Extract, recipes};
use std::fmt::Write as _;

/// The page, Markdown.
pub fn page() -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut text);
    text
}

fn write_page(text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "# Recipes: extracts of other products\n\n\
         <!-- Generated from connectors/flat-files/src/recipes; LASTKEY_BLESS=1 with its tests writes it anew. -->\n\n\
         A recipe reads extracts as they are: the files keep their names and their columns. One row\n\
         may speak of several kinds of facts, and several files of one kind.\n\n\
         ```sh\n\
         lastkey import ./safes --as safes --recipe cyberark\n\
         lastkey import ./erp --as erp --recipe sap --set system=erp-prod\n\
         ```\n\n\
         Give a folder with any of the files, or one file. What they are is seen by their headers, which\n\
         are compared by letters and digits only: `safeName`, `Safe Name` and `safe_name` are one. CSV with\n\
         commas, UTF-8. `--set system=NAME` names the system (each recipe has a name of its own else), and\n\
         `--map` counts before the recipe: `--map grants.principal_system==corp-ad` says that the members\n\
         are accounts and groups of the directory. A row that says nothing of a kind is passed over, with a\n\
         count in the journal. Words are compared without case, yes and no are understood as the rest of the\n\
         import does (true, yes, y, 1, and what spreadsheets write), and a row whose word says neither the one\n\
         nor the other fails, with column, word and line. Columns that are not used are kept as attributes; columns of secrets are not\n\
         read. The import of a file that no recipe was named for says which ones know its header.\n"
    )?;
    for recipe in recipes() {
        writeln!(text, "## {}: `--recipe {}`\n", recipe.title, recipe.name)?;
        writeln!(text, "{}\n", recipe.about)?;
        writeln!(text, "**Not in them:** {}\n", recipe.missing)?;
        writeln!(
            text,
            "| extract | known by its columns | becomes |\n|---|---|---|"
        )?;
        for file in &recipe.files {
            let columns: Vec<String> = file.columns.iter().map(|c| format!("`{c}`")).collect();
            writeln!(
                text,
                "| {} | {} | {} |",
                file.called,
                columns.join(", "),
                becomes(file)
            )?;
        }
        writeln!(text)?;
    }
    Ok(())
}

/// The kinds that an extract yields, each with the columns that it takes.
fn becomes(file: &Extract) -> String {
    let mut parts: Vec<String> = Vec::new();
    for facts in &file.facts {
        let mut columns: Vec<String> = facts
            .take
            .iter()
            .map(|(ours, theirs)| {
                let before = facts.before.get(ours);
                let before = before.map(|text| format!(", after `{text}`"));
                format!(
                    "{ours} from {}{}",
                    theirs.join(" or "),
                    before.unwrap_or_default()
                )
            })
            .collect();
        columns.extend(
            facts
                .set
                .iter()
                .map(|(ours, value)| format!("{ours} is {value}")),
        );
        let mut part = format!("**{}**: {}", facts.kind.plural(), columns.join(", "));
        if let Some(first) = facts.only.first() {
            let words = |words: &[String]| {
                let words: Vec<&str> = words
                    .iter()
                    .map(|w| if w.is_empty() { "empty" } else { w })
                    .collect();
                words.join(" or ")
            };
            let mut only = format!("{} is {}", first.column, words(&first.is));
            for one in facts.only.iter().skip(1) {
                only.push_str(&format!(", or {} is {}", one.column, words(&one.is)));
            }
            part.push_str(&format!(" (where {only})"));
        }
        parts.push(part);
    }
    parts.join("; ")
}
