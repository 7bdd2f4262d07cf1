//! The text of a policy as a tree: HCL of the first version, or JSON, as the server takes them.
//!
//! HCL's second version, which the libraries for Rust read, differs in what counts (templates in
//! strings, one item a line), so that the server's own form is read here. The server has accepted
//! the text already: this reader is never stricter than the server, and need not refuse what the
//! server would.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    /// A number, a truth value, null: as written.
    Other(String),
    List(Vec<Value>),
    Object(Vec<Item>),
}

/// One item of an object: `path "a" { … }` has the keys `path` and `a`.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub keys: Vec<String>,
    pub value: Value,
}

/// How deep objects and lists may stand in each other.
const DEEPEST: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Hcl,
    Json,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    /// `{`, `}`, `[`, `]`, `,`, and `=` (`:` in JSON).
    Sign(char),
    End,
}

/// The items of a text, or what it breaks.
pub fn parse(text: &str) -> Result<Vec<Item>, String> {
    let text = text.replace("\r\n", "\n");
    let syntax = match text.trim_start().starts_with('{') {
        true => Syntax::Json,
        false => Syntax::Hcl,
    };
    let mut parser = Parser {
        text: text.as_str(),
        syntax,
        depth: 0,
        ahead: None,
    };
    match syntax {
        Syntax::Hcl => parser.items(&Token::End),
        Syntax::Json => {
            parser.expect('{')?;
            let items = parser.items(&Token::Sign('}'))?;
            match parser.next()? {
                Token::End => Ok(flatten(items)),
                other => Err(format!("{} after the end", shown(&other))),
            }
        }
    }
}

/// JSON says `{"path": {"a": …}}` and `{"path": [{"a": …}]}` where HCL says `path "a" …`.
fn flatten(items: Vec<Item>) -> Vec<Item> {
    let mut flat = Vec::new();
    let mut waiting: Vec<Item> = items.into_iter().rev().collect();
    while let Some(Item { keys, value }) = waiting.pop() {
        let objects_only = |inner: &[Item]| {
            !inner.is_empty() && inner.iter().all(|i| matches!(i.value, Value::Object(_)))
        };
        match value {
            Value::Object(inner) if objects_only(&inner) => {
                for item in inner.into_iter().rev() {
                    let mut joined = keys.clone();
                    joined.extend(item.keys);
                    waiting.push(Item {
                        keys: joined,
                        value: item.value,
                    });
                }
            }
            Value::List(list)
                if !list.is_empty() && list.iter().all(|v| matches!(v, Value::Object(_))) =>
            {
                for value in list.into_iter().rev() {
                    waiting.push(Item {
                        keys: keys.clone(),
                        value,
                    });
                }
            }
            value => flat.push(Item { keys, value }),
        }
    }
    flat
}

struct Parser<'a> {
    /// What is left.
    text: &'a str,
    syntax: Syntax,
    depth: usize,
    ahead: Option<Token>,
}

impl Parser<'_> {
    fn items(&mut self, until: &Token) -> Result<Vec<Item>, String> {
        let mut items = Vec::new();
        loop {
            let mut keys = Vec::new();
            loop {
                match self.next()? {
                    Token::Word(key) | Token::Text(key) => keys.push(key),
                    Token::Sign(',') if keys.is_empty() => {}
                    Token::Sign('=') if !keys.is_empty() => {
                        let value = self.value()?;
                        items.push(Item { keys, value });
                        break;
                    }
                    Token::Sign('{') if !keys.is_empty() => {
                        let value = self.object()?;
                        items.push(Item { keys, value });
                        break;
                    }
                    token if token == *until && keys.is_empty() => return Ok(items),
                    token => return Err(format!("{} where an item should be", shown(&token))),
                }
            }
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.next()? {
            Token::Text(text) => Ok(Value::Text(text)),
            Token::Word(word) => Ok(Value::Other(word)),
            Token::Sign('{') => self.object(),
            Token::Sign('[') => self.list(),
            token => Err(format!("{} where a value should be", shown(&token))),
        }
    }

    fn object(&mut self) -> Result<Value, String> {
        self.deeper()?;
        let items = self.items(&Token::Sign('}'))?;
        self.depth -= 1;
        Ok(Value::Object(items))
    }

    fn list(&mut self) -> Result<Value, String> {
        self.deeper()?;
        let mut list = Vec::new();
        loop {
            match self.next()? {
                Token::Sign(']') => break,
                Token::Sign(',') => {}
                token => {
                    self.ahead = Some(token);
                    list.push(self.value()?);
                }
            }
        }
        self.depth -= 1;
        Ok(Value::List(list))
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        match self.depth > DEEPEST {
            true => Err(format!("more than {DEEPEST} objects in each other")),
            false => Ok(()),
        }
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        match self.next()? {
            Token::Sign(found) if found == sign => Ok(()),
            token => Err(format!("{} where `{sign}` should be", shown(&token))),
        }
    }

    fn next(&mut self) -> Result<Token, String> {
        if let Some(token) = self.ahead.take() {
            return Ok(token);
        }
        self.skip_space_and_comments()?;
        let mut chars = self.text.chars();
        let Some(first) = chars.next() else {
            return Ok(Token::End);
        };
        match first {
            '"' => {
                self.text = chars.as_str();
                self.quoted().map(Token::Text)
            }
            '<' if self.text.starts_with("<<") => self.heredoc().map(Token::Text),
            '{' | '}' | '[' | ']' | ',' | '=' => {
                self.text = chars.as_str();
                Ok(Token::Sign(first))
            }
            ':' if self.syntax == Syntax::Json => {
                self.text = chars.as_str();
                Ok(Token::Sign('='))
            }
            c if c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+') => {
                let end = self
                    .text
                    .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+')))
                    .unwrap_or(self.text.len());
                let (word, rest) = self.text.split_at(end);
                self.text = rest;
                Ok(Token::Word(word.to_owned()))
            }
            other => Err(format!("the character `{other}`")),
        }
    }

    fn skip_space_and_comments(&mut self) -> Result<(), String> {
        loop {
            self.text = self.text.trim_start();
            if self.syntax == Syntax::Json {
                return Ok(());
            }
            if self.text.starts_with('#') || self.text.starts_with("//") {
                self.text = self.text.split_once('\n').map_or("", |(_, rest)| rest);
            } else if let Some(comment) = self.text.strip_prefix("/*") {
                self.text = comment
                    .split_once("*/")
                    .map(|(_, rest)| rest)
                    .ok_or("a comment without an end")?;
            } else {
                return Ok(());
            }
        }
    }

    /// A text up to its closing quote. HCL leaves what stands in `${…}` as it is, quotes included.
    fn quoted(&mut self) -> Result<String, String> {
        let mut out = String::new();
        let mut braces = 0usize;
        let mut chars = self.text.chars();
        loop {
            let c = chars.next().ok_or("a text without its closing quote")?;
            match c {
                '"' if braces == 0 => break,
                '$' if braces == 0
                    && self.syntax == Syntax::Hcl
                    && chars.as_str().starts_with('{') =>
                {
                    chars.next();
                    braces = 1;
                    out.push_str("${");
                }
                '{' if braces > 0 => {
                    braces += 1;
                    out.push(c);
                }
                '}' if braces > 0 => {
                    braces -= 1;
                    out.push(c);
                }
                '\\' if braces == 0 => {
                    let (escaped, rest) = escape(chars.as_str())?;
                    chars = rest.chars();
                    out.push(escaped);
                }
                c => out.push(c),
            }
        }
        self.text = chars.as_str();
        Ok(out)
    }

    /// `<<EOF`, lines, `EOF`; with `<<-EOF` the common indentation goes.
    fn heredoc(&mut self) -> Result<String, String> {
        let body = self.text.trim_start_matches('<');
        let (anchor, mut rest) = body.split_once('\n').ok_or("a text without its end")?;
        let (indented, name) = match anchor.strip_prefix('-') {
            Some(name) => (true, name.trim()),
            None => (false, anchor.trim()),
        };
        let mut lines = Vec::new();
        loop {
            let (line, after) = match rest.split_once('\n') {
                Some((line, after)) => (line, after),
                None if rest.trim() == name => (rest, ""),
                None => return Err("a text without its end".to_owned()),
            };
            rest = after;
            if line.trim() == name {
                break;
            }
            lines.push(line);
        }
        self.text = rest;
        let indent = |line: &&str| line.len() - line.trim_start().len();
        let common = match indented {
            true => lines.iter().map(indent).min().unwrap_or(0),
            false => 0,
        };
        Ok(lines
            .iter()
            .map(|line| format!("{}\n", line.get(common..).unwrap_or_default()))
            .collect())
    }
}

/// The character after a backslash, and what follows it.
fn escape(text: &str) -> Result<(char, &str), String> {
    let mut chars = text.chars();
    let c = chars.next().ok_or("a text that ends in a backslash")?;
    let rest = chars.as_str();
    let plain = match c {
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        '\\' | '"' | '\'' | '/' => Some(c),
        _ => None,
    };
    if let Some(plain) = plain {
        return Ok((plain, rest));
    }
    let (digits, radix, rest) = match c {
        'x' => (rest.get(..2), 16, rest.get(2..)),
        'u' => (rest.get(..4), 16, rest.get(4..)),
        'U' => (rest.get(..8), 16, rest.get(8..)),
        '0'..='7' => (text.get(..3), 8, text.get(3..)),
        other => return Err(format!("the escape `\\{other}`")),
    };
    let odd = || format!("the escape `\\{c}`");
    let (digits, mut rest) = digits.zip(rest).ok_or_else(odd)?;
    let mut number = u32::from_str_radix(digits, radix).map_err(|_| odd())?;
    // JSON writes what lies beyond the first plane as two halves.
    if (0xd800..0xdc00).contains(&number)
        && let Some(low) = rest.strip_prefix("\\u").and_then(|r| r.get(..4))
        && let Ok(low) = u32::from_str_radix(low, 16)
        && (0xdc00..0xe000).contains(&low)
    {
        number = 0x1_0000 + ((number - 0xd800) << 10) + (low - 0xdc00);
        rest = rest.get(6..).ok_or_else(odd)?;
    }
    char::from_u32(number).map(|c| (c, rest)).ok_or_else(odd)
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => format!("`{word}`"),
        Token::Text(text) => format!("the text `{text}`"),
        Token::Sign(sign) => format!("`{sign}`"),
        Token::End => "the end".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        parse(text)
            .unwrap()
            .into_iter()
            .map(|item| item.keys.join(" "))
            .collect()
    }

    #[track_caller]
    fn check_text(source: &str, means: &str) {
        let items = parse(&format!("path {source} {{}}")).unwrap();
        assert_eq!(items[0].keys[1], means, "{source}");
    }

    #[test]
    fn forms_of_one_policy() {
        let forms = [
            r#"path "a" { capabilities = ["read"] } path "b" { policy = "read" }"#,
            "# c\n// c\n/* c\n} */ path \"a\" {\n capabilities = [\n \"read\", # c\n ]\n}\r\n\"path\" \"b\" { policy = \"read\", }",
            r#"{"path": {"a": {"capabilities": ["read"]}, "b": {"policy": "read"}}}"#,
            r#" {"path": [{"a": {"capabilities": ["read"]}}, {"b": {"policy": "read"}}]}"#,
        ];
        for form in forms {
            assert_eq!(keys(form), ["path a", "path b"], "{form}");
        }
    }

    #[test]
    fn texts_mean_what_the_server_takes_them_for() {
        check_text(r#""a\"b\\c""#, "a\"b\\c");
        check_text(r#""é""#, "é");
        check_text(r#""\u00e9\x41\101""#, "éAA");
        check_text(r#""a/${"q"}/b""#, "a/${\"q\"}/b");
        check_text(
            r#""a/%{x}/{{identity.entity.id}}""#,
            "a/%{x}/{{identity.entity.id}}",
        );
        check_text("<<E\nx\nE\n", "x\n");
        check_text("<<-E\n  x\n   y\n  E\n", "x\n y\n");
        let json = parse(r#"{"path":{"a\ud83d\ude00\/":{}}}"#).unwrap();
        assert_eq!(json[0].keys[1], "a\u{1f600}/");
    }

    #[test]
    fn broken_texts_end_with_a_reason() {
        for text in [
            "path \"a\" {",
            "path \"a",
            "path",
            "= 1",
            "path \"a\" { x = }",
            "path \"a\" { x = [1 }",
            "/* no end",
            "path \"\\q\" {}",
            "<<E\nx",
            "{\"path\": {}} x",
            "\u{1}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(&deep).is_err());
    }
}
