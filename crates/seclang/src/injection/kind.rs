//! The kinds of tokens, as fingerprints spell them.

pub(super) const BACKSLASH: u8 = b'\\';
pub(super) const BAREWORD: u8 = b'n';
pub(super) const COLLATE: u8 = b'A';
pub(super) const COLON: u8 = b':';
pub(super) const COMMA: u8 = b',';
pub(super) const COMMENT: u8 = b'c';
pub(super) const DOT: u8 = b'.';
/// What readers of SQL take differently.
pub(super) const EVIL: u8 = b'X';
/// `SELECT` and its like.
pub(super) const EXPRESSION: u8 = b'E';
/// Of the table of words alone: a fingerprint.
pub(super) const FINGERPRINT: u8 = b'F';
pub(super) const FUNCTION: u8 = b'f';
/// `GROUP BY`, `LIMIT` and their like.
pub(super) const GROUP: u8 = b'B';
pub(super) const KEYWORD: u8 = b'k';
pub(super) const LEFT_BRACE: u8 = b'{';
pub(super) const LEFT_BRACKET: u8 = b'(';
/// `AND`, `OR` and their like.
pub(super) const LOGIC: u8 = b'&';
pub(super) const NUMBER: u8 = b'1';
pub(super) const OPERATOR: u8 = b'o';
pub(super) const RIGHT_BRACE: u8 = b'}';
pub(super) const RIGHT_BRACKET: u8 = b')';
pub(super) const SEMICOLON: u8 = b';';
pub(super) const STRING: u8 = b's';
/// Statements of Transact-SQL.
pub(super) const TSQL: u8 = b'T';
/// Types of columns.
pub(super) const TYPE: u8 = b't';
pub(super) const UNION: u8 = b'U';
pub(super) const UNKNOWN: u8 = b'?';
pub(super) const VARIABLE: u8 = b'v';
