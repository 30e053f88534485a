//! Folding: tokens that mean the same to a database become one, until five are left that tell what
//! the value is.

use super::token::Token;
use super::tokens::Reader;
use super::{TOKENS_MAX, kind, words};

/// Places for tokens: one more than a fingerprint has tells what the last one is, and folding looks two
/// further.
const PLACES: usize = TOKENS_MAX + 3;

/// What is left of a value's tokens.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) tokens: [Token; PLACES],
    /// How many of them there are.
    pub(super) count: usize,
    /// How many tokens were read.
    pub(super) read: usize,
    /// Whether the other dialect may read something else.
    pub(super) dialects_differ: bool,
}

impl Folded {
    pub(super) fn of(reader: Reader<'_>) -> Self {
        let mut fold = Fold {
            reader,
            tokens: [Token::default(); PLACES],
            next: 0,
            left: 0,
            more: true,
            comment: None,
        };
        let count = fold.run();
        let Fold {
            reader, mut tokens, ..
        } = fold;
        // An open backtick at the end, with nothing after it, is a comment of PHP.
        if count > 2
            && let Some(last) = tokens.get_mut(count - 1)
            && (last.kind, last.open, last.close) == (kind::BAREWORD, b'`', 0)
            && last.length() == 0
        {
            last.kind = kind::COMMENT;
        }
        Self {
            tokens,
            count,
            read: reader.count,
            dialects_differ: reader.dialects_differ,
        }
    }
}

struct Fold<'v> {
    reader: Reader<'v>,
    tokens: [Token; PLACES],
    /// Where the next token goes.
    next: usize,
    /// How many are done with.
    left: usize,
    more: bool,
    /// The comment after the last token.
    comment: Option<Token>,
}

/// What a rule of folding did.
enum Did {
    Nothing,
    /// Look again from where the places are now.
    Folded,
    /// What follows does not count.
    Evil,
}

impl Fold<'_> {
    /// How many tokens are left.
    fn run(&mut self) -> usize {
        loop {
            let Some(token) = self.reader.next() else {
                return 0;
            };
            let is_before = matches!(token.kind, kind::COMMENT | kind::LEFT_BRACKET | kind::TYPE);
            if !is_before && !token.is_unary() {
                self.put(0, token);
                break;
            }
        }
        self.next = 1;
        loop {
            self.begin_again_after_five();
            if !self.more || self.left >= TOKENS_MAX {
                break;
            }
            if !self.has(2) {
                self.left = self.next;
                continue;
            }
            match self.two() {
                Did::Folded => continue,
                Did::Evil => return self.left + 2,
                Did::Nothing => {}
            }
            if !self.has(3) {
                self.left = self.next;
                continue;
            }
            if !self.three() {
                self.left += 1;
            }
        }
        let mut count = self.next;
        if count < TOKENS_MAX
            && let Some(comment) = self.comment
        {
            self.put(count, comment);
            count += 1;
        }
        count.min(TOKENS_MAX)
    }

    fn kind(&self, ahead: usize) -> u8 {
        self.token(ahead).map_or(0, |token| token.kind)
    }

    /// The token so many places after those that are done with.
    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.left + ahead)
    }

    fn text(&self, ahead: usize) -> &[u8] {
        self.token(ahead).map_or(&[], Token::text)
    }

    fn put(&mut self, place: usize, token: Token) {
        if let Some(old) = self.tokens.get_mut(place) {
            *old = token;
        }
    }

    fn set_kind(&mut self, ahead: usize, kind: u8) {
        if let Some(token) = self.tokens.get_mut(self.left + ahead) {
            token.kind = kind;
        }
    }

    /// Puts the token at `from` where `to` is.
    fn copy(&mut self, to: usize, from: usize) {
        if let Some(token) = self.token(from).copied() {
            self.put(self.left + to, token);
        }
    }

    /// Reads until so many tokens are there that are not done with.
    fn has(&mut self, wanted: usize) -> bool {
        while self.more && self.next <= TOKENS_MAX && self.next.saturating_sub(self.left) < wanted {
            match self.reader.next() {
                None => self.more = false,
                Some(token) if token.kind == kind::COMMENT => self.comment = Some(token),
                Some(token) => {
                    self.comment = None;
                    self.put(self.next, token);
                    self.next += 1;
                }
            }
        }
        self.next.saturating_sub(self.left) >= wanted
    }

    /// Takes away tokens that were read last, and begins anew at the first.
    fn drop_and_restart(&mut self, count: usize) -> Did {
        self.next = self.next.saturating_sub(count);
        self.left = 0;
        Did::Folded
    }

    /// Takes away the last token.
    fn drop_and_step_back(&mut self) -> Did {
        self.next = self.next.saturating_sub(1);
        self.left = self.left.saturating_sub(1);
        Did::Folded
    }

    /// Five tokens that say no more than their first: `1,(1)`.
    fn begin_again_after_five(&mut self) {
        if self.next < TOKENS_MAX {
            return;
        }
        let kinds: [u8; TOKENS_MAX] =
            std::array::from_fn(|at| self.tokens.get(at).map_or(0, |token| token.kind));
        let folds = matches!(
            &kinds,
            b"1o(1)" | b"1,(1)" | b"no(n)" | b"no(1)" | b"1),(1" | b"n)o(n"
        );
        if !folds {
            return;
        }
        self.left = 0;
        if self.next > TOKENS_MAX {
            if let Some(sixth) = self.tokens.get(TOKENS_MAX).copied() {
                self.put(1, sixth);
            }
            self.next = 2;
        } else {
            self.next = 1;
        }
    }

    /// Rules for two tokens.
    fn two(&mut self) -> Did {
        let kinds = (self.kind(0), self.kind(1));
        let second_is_unary = self.token(1).is_some_and(Token::is_unary);
        match kinds {
            // Two texts are one, and `;;` is `;`.
            (kind::STRING, kind::STRING) | (kind::SEMICOLON, kind::SEMICOLON) => {
                self.next -= 1;
                return Did::Folded;
            }
            (kind::OPERATOR | kind::LOGIC, second) if second_is_unary || second == kind::TYPE => {
                return self.drop_and_restart(1);
            }
            (kind::LEFT_BRACKET, _) if second_is_unary => return self.drop_and_step_back(),
            _ => {}
        }
        if self.merges() {
            return self.drop_and_step_back();
        }
        if let Some(did) = self.two_by_name(kinds) {
            return did;
        }
        match kinds {
            (
                kind::TYPE,
                kind::BAREWORD
                | kind::NUMBER
                | kind::TYPE
                | kind::LEFT_BRACKET
                | kind::FUNCTION
                | kind::VARIABLE
                | kind::STRING,
            ) => {
                self.copy(0, 1);
                self.drop_and_restart(1)
            }
            (kind::COLLATE, kind::BAREWORD) => {
                // Names of collations are many; an underscore is in all of them.
                if self.text(1).contains(&b'_') {
                    self.set_kind(1, kind::TYPE);
                    self.left = 0;
                }
                Did::Nothing
            }
            (kind::BACKSLASH, _) => {
                // `\%1` is `0 % 1` in Transact-SQL, and `\1` is `1`.
                if self.token(1).is_some_and(Token::is_arithmetic) {
                    self.set_kind(0, kind::NUMBER);
                    self.drop_and_restart(0)
                } else {
                    self.copy(0, 1);
                    self.drop_and_restart(1)
                }
            }
            (kind::LEFT_BRACKET, kind::LEFT_BRACKET)
            | (kind::RIGHT_BRACKET, kind::RIGHT_BRACKET) => self.drop_and_restart(1),
            (kind::LEFT_BRACE, kind::BAREWORD) => {
                // ``{``.``.id}`` is read by MySQL alone; `{name expression}` is the expression.
                if self.text(1).is_empty() {
                    self.set_kind(1, kind::EVIL);
                    return Did::Evil;
                }
                self.drop_and_restart(2)
            }
            (_, kind::RIGHT_BRACE) => self.drop_and_restart(1),
            _ => Did::Nothing,
        }
    }

    /// Whether two words are one phrase: `UNION ALL`.
    fn merges(&mut self) -> bool {
        let is_word = |kind: u8| {
            matches!(
                kind,
                kind::KEYWORD
                    | kind::BAREWORD
                    | kind::OPERATOR
                    | kind::UNION
                    | kind::FUNCTION
                    | kind::EXPRESSION
                    | kind::TSQL
                    | kind::TYPE
            )
        };
        let (first, second) = (self.kind(0), self.kind(1));
        if !is_word(first) || !(is_word(second) || second == kind::LOGIC) {
            return false;
        }
        let Some(second) = self.token(1).copied() else {
            return false;
        };
        let first = self.tokens.get_mut(self.left);
        first.is_some_and(|first| first.merge(&second))
    }

    /// Rules for two tokens that ask for a word; none where no such rule is meant.
    fn two_by_name(&mut self, kinds: (u8, u8)) -> Option<Did> {
        let before_bracket = kinds.1 == kind::LEFT_BRACKET;
        let first = self.text(0);
        let is = |word: &[u8]| words::is(Some(first), word);
        match kinds.0 {
            // `; IF` is no function but a statement.
            kind::SEMICOLON
                if kinds.1 == kind::FUNCTION && words::is(self.text(1).get(..2), b"IF") =>
            {
                self.set_kind(1, kind::TSQL);
            }
            kind::BAREWORD | kind::VARIABLE
                if before_bracket && FUNCTIONS.iter().any(|name| is(name)) =>
            {
                self.set_kind(0, kind::FUNCTION);
            }
            kind::KEYWORD if is(b"IN") || is(b"NOT IN") => {
                let new = if before_bracket {
                    kind::OPERATOR
                } else {
                    kind::BAREWORD
                };
                self.set_kind(0, new);
            }
            kind::OPERATOR if is(b"LIKE") || is(b"NOT LIKE") => {
                if before_bracket {
                    self.set_kind(0, kind::FUNCTION);
                }
                return Some(Did::Nothing);
            }
            _ => return None,
        }
        Some(Did::Folded)
    }

    /// Rules for three tokens: whether one was meant.
    fn three(&mut self) -> bool {
        let kinds = (self.kind(0), self.kind(1), self.kind(2));
        let unary = self.token(1).is_some_and(Token::is_unary);
        if goes_on(kinds, self.text(1)) {
            self.drop_and_restart(2);
            return true;
        }
        let is_expression = matches!(kinds.0, kind::EXPRESSION | kind::GROUP);
        let is_value = is_value(kinds.2);
        // A sign before a value, or before a bracket, says nothing.
        let sign_goes = unary
            && match kinds.0 {
                kind::EXPRESSION | kind::GROUP | kind::COMMA if kinds.2 == kind::LEFT_BRACKET => {
                    true
                }
                kind::COMMA => kinds.2 == kind::FUNCTION,
                kind::KEYWORD => is_value || kinds.2 == kind::FUNCTION,
                _ => is_expression && (is_value || kinds.2 == kind::FUNCTION),
            };
        if sign_goes {
            self.copy(1, 2);
            self.drop_and_restart(1);
            return true;
        }
        match kinds {
            (kind::COMMA, _, _) if unary && is_value => {
                // `1,-1` is `1`.
                self.copy(1, 2);
                self.drop_and_restart(3);
                return true;
            }
            (kind::EXPRESSION, kind::DOT, kind::BAREWORD) => {
                self.copy(1, 2);
                self.drop_and_restart(1);
                return true;
            }
            // `USER()` has no arguments: with one it is a name.
            (kind::FUNCTION, kind::LEFT_BRACKET, third)
                if third != kind::RIGHT_BRACKET && words::is(Some(self.text(0)), b"USER") =>
            {
                self.set_kind(0, kind::BAREWORD);
            }
            _ => {}
        }
        false
    }
}

/// Names that are functions before a bracket, and something else elsewhere.
const FUNCTIONS: [&[u8]; 11] = [
    b"USER_ID",
    b"USER_NAME",
    b"DATABASE",
    b"PASSWORD",
    b"USER",
    b"CURRENT_USER",
    b"CURRENT_DATE",
    b"CURRENT_TIME",
    b"CURRENT_TIMESTAMP",
    b"LOCALTIME",
    b"LOCALTIMESTAMP",
];

fn is_value(kind: u8) -> bool {
    matches!(
        kind,
        kind::NUMBER | kind::BAREWORD | kind::VARIABLE | kind::STRING
    )
}

/// Three tokens of which the last two add nothing to the first: `1 + 1`, `a, b`, `a.b`.
fn goes_on(kinds: (u8, u8, u8), middle: &[u8]) -> bool {
    match kinds {
        (kind::NUMBER | kind::BAREWORD, kind::OPERATOR, kind::NUMBER | kind::BAREWORD)
        | (kind::VARIABLE, kind::OPERATOR, kind::VARIABLE | kind::NUMBER | kind::BAREWORD)
        | (kind::LOGIC, _, kind::LOGIC)
        | (kind::BAREWORD, kind::DOT, kind::BAREWORD) => true,
        (kind::OPERATOR, second, kind::OPERATOR) => second != kind::LEFT_BRACKET,
        (first, kind::OPERATOR, kind::TYPE) => is_value(first) && middle == b"::",
        (first, kind::COMMA, third) => is_value(first) && is_value(third),
        _ => false,
    }
}
