//! The paths that a source file uses, from the root of the crate.

/// What a file says about modules.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The paths that begin with `crate`, `self` or `super`, from the root.
    pub(crate) paths: Vec<Vec<String>>,
    /// The modules with files of their own that are built for tests alone.
    pub(crate) tests: Vec<Vec<String>>,
}

impl Source {
    /// Reads the text of a file of this module.
    pub(crate) fn read(module: &[String], text: &str) -> Self {
        let tokens = tokens(text);
        let mut reader = Reader {
            tokens: tokens.iter().map(String::as_str).collect(),
            at: 0,
            module: module.to_vec(),
            source: Self::default(),
        };
        while reader.at < reader.tokens.len() {
            reader.read_items();
        }
        reader.source
    }
}

/// Identifiers, `::`, and other characters one by one; neither comments nor literals.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = literal_or_comment(rest).unwrap_or_else(|| {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                word => word,
            };
            if !first.is_whitespace() {
                tokens.push(rest[..length].to_owned());
            }
            length
        });
        rest = &rest[length..];
    }
    tokens
}

/// The length of the comment or the literal with which the text begins.
fn literal_or_comment(text: &str) -> Option<usize> {
    let until = |end: &str, from: usize| {
        text[from..].find(end).map_or(text.len(), |at| from + at + end.len())
    };
    if text.starts_with("//") {
        return Some(until("\n", 2));
    }
    if text.starts_with("/*") {
        return Some(until("*/", 2));
    }
    let raw = text.strip_prefix("br").or_else(|| text.strip_prefix('r')).unwrap_or_default();
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    if raw[hashes..].starts_with('"') {
        let begin = text.len() - raw.len() + hashes + 1;
        return Some(until(&format!("\"{}", "#".repeat(hashes)), begin));
    }
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            _ if character == quote => return Some(at + 1),
            // A lifetime, not a character.
            _ if quote == '\'' && !text[at + character.len_utf8()..].starts_with('\'') => {
                return Some(1);
            }
            _ => {}
        }
    }
    Some(text.len())
}

struct Reader<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    /// Where `self` leads.
    module: Vec<String>,
    source: Source,
}

impl Reader<'_> {
    fn begins(&self, with: &[&str]) -> bool {
        self.tokens[self.at..].starts_with(with)
    }

    fn next(&mut self) -> Option<&str> {
        self.at += 1;
        self.tokens.get(self.at - 1).copied()
    }

    /// Reads to the end of the braces in which the reader stands.
    fn read_items(&mut self) {
        let mut level = 0_usize;
        while let Some(&token) = self.tokens.get(self.at) {
            match token {
                "#" if self.begins(&["#", "[", "cfg", "(", "test", ")", "]"]) => self.skip_test(),
                "mod" if self.tokens.get(self.at + 2) == Some(&"{") => {
                    self.module.push(self.tokens[self.at + 1].to_owned());
                    self.at += 3;
                    self.read_items();
                    self.module.pop();
                }
                "crate" | "self" | "super" if self.tokens.get(self.at + 1) == Some(&"::") => {
                    let module = self.module.clone();
                    self.read_path(&module);
                }
                _ => {
                    self.at += 1;
                    match token {
                        "{" => level += 1,
                        "}" if level == 0 => return,
                        "}" => level -= 1,
                        _ => {}
                    }
                }
            }
        }
    }

    /// Reads a path, or a tree of paths, that begins at `from`.
    fn read_path(&mut self, from: &[String]) {
        let mut path = from.to_vec();
        loop {
            match self.next().unwrap_or_default().to_owned().as_str() {
                "crate" => path.clear(),
                "self" => {}
                "super" => drop(path.pop()),
                "{" => {
                    while !self.begins(&["}"]) && self.at < self.tokens.len() {
                        self.read_path(&path);
                        if self.begins(&[","]) {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                name => path.push(name.to_owned()),
            }
            if self.begins(&["::"]) {
                self.at += 1;
                continue;
            }
            if self.begins(&["as"]) {
                self.at += 2;
            }
            self.source.paths.push(path);
            return;
        }
    }

    /// Skips an item that is for tests alone: to the end of its braces, or to its semicolon.
    fn skip_test(&mut self) {
        let mut level = 0;
        while let Some(token) = self.next().map(str::to_owned) {
            match token.as_str() {
                "mod" if self.tokens.get(self.at + 1) == Some(&";") => {
                    let name = self.tokens[self.at].to_owned();
                    self.source.tests.push([&self.module[..], &[name]].concat());
                }
                "{" => level += 1,
                "}" if level == 1 => return,
                "}" => level -= 1,
                ";" if level == 0 => return,
                _ => {}
            }
        }
    }
}
