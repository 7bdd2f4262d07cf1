//! Who could be meant by an account that no rule leads anywhere: likeness of logins and names.

use super::values::{AccountKeys, folded};
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Words to look for, the most telling first: pieces of login, name and mail, and those without
/// their first letter (`asmith` is somebody called Smith).
pub fn search_words(account: &AccountKeys) -> Vec<String> {
    let mail = account.email.as_deref().and_then(|m| m.rsplit_once('@'));
    let texts = [
        account.name.as_deref(),
        mail.map(|(local, _)| local),
        Some(account.id.as_str()),
    ];
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        if letters >= LEAST && !words.iter().any(|w| w == word) {
            words.push(word.to_owned());
        }
    };
    let pieces: Vec<String> = texts.into_iter().flatten().flat_map(pieces).collect();
    pieces.iter().for_each(|piece| add(piece));
    for piece in &pieces {
        let mut rest = piece.chars();
        rest.next();
        add(rest.as_str());
    }
    words.truncate(MOST);
    words
}

/// A shorter word tells nobody from anybody.
const LEAST: usize = 3;
/// How many words are looked for.
const MOST: usize = 8;
/// Of a longer name so many words are put together, in the order of the alphabet.
const LONGEST: usize = 6;

/// The words of a text, folded, digits apart from letters.
fn pieces(text: &str) -> Vec<String> {
    folded(text)
        .split(|c: char| !c.is_alphabetic())
        .filter(|piece| !piece.is_empty())
        .map(str::to_owned)
        .collect()
}

/// How alike an account and an identity are called, in hundredths.
pub fn likeness(account: &AccountKeys, id: &str, name: Option<&str>, email: Option<&str>) -> u8 {
    let local = |mail: &str| mail.rsplit_once('@').map(|(local, _)| local.to_owned());
    let of_account = [
        Some(account.id.clone()),
        account.name.clone(),
        account.email.as_deref().and_then(local),
    ];
    let mut of_identity = vec![id.to_owned()];
    of_identity.extend(email.and_then(local));
    if let Some(name) = name {
        of_identity.push(name.to_owned());
        of_identity.extend(logins(name));
    }
    let mut most = 0;
    for ours in of_account.into_iter().flatten() {
        for theirs in &of_identity {
            most = most.max(alike(&ours, theirs));
        }
    }
    most
}

/// What somebody or something is called, as a number that names have in common which differ in case,
/// signs and the order of their words alone; 0 where there is no name, or one so short that it tells
/// nobody from anybody.
pub fn called(name: Option<&str>) -> u64 {
    let words = name.map(words_of_name).unwrap_or_default();
    number_of(&words.iter().collect::<Vec<_>>())
}

/// Two words each of a longer name, as numbers: people leave out middle names and titles.
pub fn called_in_short(name: &str) -> Vec<u64> {
    let mut words = words_of_name(name);
    if words.len() < 3 {
        return Vec::new();
    }
    words.sort_unstable();
    words.truncate(LONGEST);
    let pairs = (0..).zip(&words).flat_map(|(n, a)| {
        let others = words.iter().skip(n + 1);
        others.map(move |b| number_of(&[a, b]))
    });
    pairs.filter(|number| *number != 0).collect()
}

/// All that an account with this name or id could be called, as numbers: the words of the name
/// together, and fewer of them, since more often stands there than a name (`adm Ann Smith`).
pub fn could_be_called(text: &str) -> Vec<u64> {
    let words = words_of_name(common_name(text).as_deref().unwrap_or(text));
    let all: Vec<&String> = words.iter().collect();
    let mut found = vec![number_of(&all)];
    match all.len() {
        3 | 4 => {
            for chosen in 1u32..1 << all.len() {
                let some = (0u32..).zip(&all).filter(|(n, _)| chosen >> n & 1 == 1);
                let some: Vec<&String> = some.map(|(_, word)| *word).collect();
                if (2..all.len()).contains(&some.len()) {
                    found.push(number_of(&some));
                }
            }
        }
        _ => found.extend(all.windows(2).map(number_of)),
    }
    found.retain(|number| *number != 0);
    found.sort_unstable();
    found.dedup();
    found
}

/// The words of a name, folded; letters and digits make them.
fn words_of_name(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in folded(name).split(|c: char| !c.is_alphanumeric()) {
        if !word.is_empty() && !words.iter().any(|one| one == word) {
            words.push(word.to_owned());
        }
    }
    words
}

fn number_of(words: &[&String]) -> u64 {
    let letters = |word: &&String| word.chars().filter(|c| c.is_alphabetic()).count();
    if words.iter().map(letters).sum::<usize>() < LEAST {
        return 0;
    }
    let mut words: Vec<&String> = words.to_vec();
    words.sort_unstable();
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish().max(1)
}

/// Of a distinguished name what it calls the object itself.
fn common_name(text: &str) -> Option<String> {
    let (kind, rest) = text.trim_start().split_once('=')?;
    let names = ["cn", "uid", "name"];
    if !names.iter().any(|name| kind.eq_ignore_ascii_case(name)) {
        return None;
    }
    let mut value = String::new();
    let mut signs = rest.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => value.extend(signs.next()),
            ',' | '+' => break,
            sign => value.push(sign),
        }
    }
    Some(value)
}

/// An id as a number that writings of it have in common which differ in case, signs, spaces or
/// leading zeros alone; 0 where nothing of it is left.
pub fn written(id: &str) -> u64 {
    let all: String = folded(id).chars().filter(|c| c.is_alphanumeric()).collect();
    let all = all.trim_start_matches('0');
    if all.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    all.hash(&mut hasher);
    hasher.finish().max(1)
}

/// The numbers of an id's writing: whole, and without the name of a source before it.
pub fn writings(id: &str) -> BTreeSet<u64> {
    let bare = id.split_once(':').map(|(_, bare)| bare);
    let both = std::iter::once(id).chain(bare).map(written);
    both.filter(|number| *number != 0).collect()
}

/// What logins are often made of: `asmith`, `smitha`, `anns`.
fn logins(name: &str) -> Vec<String> {
    let words = pieces(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return Vec::new();
    };
    let initial = |word: &str| word.chars().next().map(String::from).unwrap_or_default();
    vec![
        format!("{}{last}", initial(first)),
        format!("{last}{}", initial(first)),
        format!("{first}{}", initial(last)),
    ]
}

/// Shared pairs of neighbouring letters (Dice), in hundredths.
fn alike(a: &str, b: &str) -> u8 {
    let (a, b) = (letters(a), letters(b));
    if a.is_empty() || b.is_empty() {
        return 0;
    }
    if a == b {
        return 100;
    }
    let mut pairs: HashMap<&[char], usize> = HashMap::new();
    for pair in a.windows(2) {
        *pairs.entry(pair).or_default() += 1;
    }
    let mut shared = 0usize;
    for pair in b.windows(2) {
        if let Some(left) = pairs.get_mut(pair).filter(|left| **left > 0) {
            *left -= 1;
            shared += 1;
        }
    }
    let all = (a.len() - 1) + (b.len() - 1);
    u8::try_from((200 * shared).checked_div(all).unwrap_or(0)).unwrap_or(100)
}

fn letters(text: &str) -> Vec<char> {
    folded(text)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn could_be(account: &str, person: &str, expected: bool) {
        let keys = could_be_called(account);
        let names: Vec<u64> = std::iter::once(called(Some(person)))
            .chain(called_in_short(person))
            .collect();
        let found = names.iter().any(|name| keys.contains(name));
        assert_eq!(found, expected, "{account} and {person}");
    }

    #[test]
    fn names_are_alike_in_any_order_and_with_more_beside() {
        for account in [
            "Sven Weber",
            "SVEN WEBER",
            "Weber, Sven",
            "weber sven",
            "Sven Weber (Admin)",
            "adm-sven.weber",
            "CN=Sven Weber,OU=Users,DC=x",
            "cn=Weber\\, Sven,ou=people",
            "svc old adm sven weber 2",
        ] {
            could_be(account, "Sven Weber", true);
            could_be(account, "Sven Martin Weber", true);
            could_be(account, "Dr. Sven Weber", true);
        }
        for account in [
            "Sven Huber",
            "Weber",
            "Sven",
            "Svenja Weber",
            "CN=x,OU=Sven Weber",
            "",
        ] {
            could_be(account, "Sven Weber", false);
        }
        could_be("person 12", "Person 1", false);
        could_be("Person 1 adm", "Person 1", true);
    }

    fn account(id: &str, name: &str) -> AccountKeys {
        serde_json::from_value(serde_json::json!({"system": "ad", "id": id, "name": name})).unwrap()
    }

    #[test]
    fn whoever_is_called_alike_is_nearest() {
        let check = |id: &str, order: &[&str]| {
            let mut found: Vec<(u8, &str)> = order
                .iter()
                .map(|name| (likeness(&account(id, ""), "0815", Some(name), None), *name))
                .collect();
            found.sort_by_key(|(likeness, _)| std::cmp::Reverse(*likeness));
            let names: Vec<&str> = found.iter().map(|(_, name)| *name).collect();
            assert_eq!(names, order, "{id}: {found:?}");
            assert!(found[0].0 > found[1].0, "{found:?}");
        };
        check("asmith2", &["Ann Smith", "Bob Smith", "Cyd Jones"]);
        check("smith.ann", &["Ann Smith", "Ann Jones"]);
        check("JOSÉ.P", &["José P", "Joseph Q"]);
        assert_eq!(likeness(&account("x", "x"), "y", Some("-"), None), 0);
    }

    #[test]
    fn words_to_look_for_are_pieces_and_pieces_without_their_first_letter() {
        let words = search_words(&account("adm-asmith2", "A. Smith"));
        assert_eq!(words, ["smith", "adm", "asmith", "mith"]);
        assert!(search_words(&account("007", "x")).is_empty());
    }
}
