//! The page docs/practice-estate.md, written from the estate itself.

use super::{Estate, EstateFile, Shows, Subject};
use std::fmt::Write as _;

/// Rows of a file without its header. No cell of the estate has a line break.
fn rows(file: &EstateFile) -> usize {
    file.text.lines().count().saturating_sub(1)
}

fn rows_of(estate: &Estate, path: &str) -> usize {
    estate.files.iter().find(|f| f.path == path).map_or(0, rows)
}

/// The page, Markdown.
pub fn page(estate: &Estate) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut text, estate);
    text
}

fn write_page(text: &mut String, estate: &Estate) -> std::fmt::Result {
    writeln!(text, "# The practice estate\n")?;
    writeln!(
        text,
        "<!-- Generated from crates/engine/src/practice; LASTKEY_BLESS=1 with its tests writes it anew. -->\n"
    )?;
    writeln!(
        text,
        "Brantholm is an invented company to try Lastkey on. It is the same on every machine, to the byte. Its \"now\" is {}.\n",
        estate.reference_date
    )?;
    writeln!(
        text,
        "- 2,400 people in 18 departments and under a chief; the latest roster has {} lines, leavers stay in it as inactive. Teams of ten have a lead, departments a head.",
        rows_of(estate, "hr/2026-11-20.csv")
    )?;
    writeln!(
        text,
        "- Fourteen monthly rosters, each as of the 20th: joiners, movers, leavers, people on leave, people who came back."
    )?;
    writeln!(
        text,
        "- Three vendors with 64 people: `VEN-01` runs, `VEN-02` ends within two months, `VEN-03` has ended."
    )?;
    writeln!(
        text,
        "- 900 non-human identities: 560 workloads, 40 AI agents, 300 service accounts, with a business and a technical owner."
    )?;
    writeln!(
        text,
        "- Personnel numbers are text, many with leading zeros; names come from many languages; two people are called Ewa Brandt."
    )?;
    writeln!(
        text,
        "- Accounts of cloud, vault and code host sign in through the directory; the database has accounts of its own."
    )?;
    writeln!(
        text,
        "- Groups nest: team, department, division, all-staff, intranet-readers. Few groups are large, many small."
    )?;
    writeln!(
        text,
        "- Passwords of workloads stand in the vault, deployment passwords in CI variables. Equal fingerprints mean one secret in several places."
    )?;
    writeln!(
        text,
        "- The offboarding plan has weaknesses: rotation before the door closes, nothing for database accounts, keys and tokens."
    )?;
    writeln!(
        text,
        "- Forty defects are planted, each on named subjects. Everything else is meant to be in order.\n"
    )?;
    writeln!(
        text,
        "## Try it\n\n```sh\nlastkey demo --dir practice\nlastkey rehearse leaver --all\nlastkey export --out practice.zip\nlastkey verify practice.zip\n```\n"
    )?;
    writeln!(
        text,
        "## Sources\n\n| source | what | files | rows |\n|---|---|---|---|"
    )?;
    for source in &estate.sources {
        let folder = format!("{}/", source.name);
        let files: Vec<&EstateFile> = estate
            .files
            .iter()
            .filter(|f| f.path.starts_with(&folder))
            .collect();
        let names: Vec<String> = if source.series {
            vec![format!("{} rosters", files.len())]
        } else {
            files
                .iter()
                .map(|f| {
                    format!(
                        "{} {}",
                        f.path
                            .trim_start_matches(folder.as_str())
                            .trim_end_matches(".csv"),
                        rows(f)
                    )
                })
                .collect()
        };
        let total: usize = files.iter().map(|f| rows(f)).sum();
        writeln!(
            text,
            "| `{}` | {} | {} | {total} |",
            source.name,
            source.why,
            names.join(", ")
        )?;
    }
    large(text)?;
    writeln!(
        text,
        "\n## The planted defects\n\n| id | defect | planted | on | where it shows |\n|---|---|---|---|---|"
    )?;
    for defect in &estate.defects {
        let subjects: Vec<String> = defect.subjects.iter().map(subject).collect();
        let shows = match &defect.shows {
            Shows::Now { command, expected } => format!("`{command}`: {expected}"),
            Shows::Needs { capability } => format!("needs: {capability}"),
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {shows} |",
            defect.id,
            defect.title,
            defect.planted,
            subjects.join(", ")
        )?;
    }
    Ok(())
}

/// The group around the company, by its files.
fn large(text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "\n## The large one\n\n`lastkey demo --size large` puts the company unchanged, with every planted defect, into a group: together 1,000,000 identities, 1,000,000 accounts and 3,400,000 grants, 100,000 of them between groups in six levels, some in rings, one group with 500,000 members. The group is meant to be in order. `--files-only --dir D` writes the files and the plan and touches no store.\n\n| source | what | files |\n|---|---|---|"
    )?;
    let files = super::group::files(super::group::Extent::FULL);
    for source in super::group::sources() {
        let folder = format!("{}/", source.name);
        let names: Vec<String> = files
            .iter()
            .filter_map(|file| Some((file.path.strip_prefix(&folder)?, file.rows)))
            .map(|(name, rows)| format!("{} {rows}", name.trim_end_matches(".csv")))
            .collect();
        writeln!(
            text,
            "| `{}` | {} | {} |",
            source.name,
            source.why,
            names.join(", ")
        )?;
    }
    Ok(())
}

fn subject(subject: &Subject) -> String {
    if subject.system.is_empty() {
        format!("{} `{}`", subject.kind, subject.id)
    } else {
        format!("{} `{}:{}`", subject.kind, subject.system, subject.id)
    }
}
