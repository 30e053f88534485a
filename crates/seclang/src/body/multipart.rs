//! `multipart/form-data` (RFC 7578, RFC 2046 §5.1), read strictly: whatever two readers could take
//! differently raises one of ModSecurity's flags.

use memchr::memmem::find_iter;

use super::Problem;
use super::disposition;
use crate::bytes::{begins_ignore_case, head, is_space, split_once, tail, trim};

/// A part of a form.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: Vec<u8>,
    pub(crate) filename: Option<Vec<u8>>,
    /// Whole lines, unfolded.
    pub(crate) headers: Vec<Vec<u8>>,
    pub(crate) body: Vec<u8>,
}

/// What is not as it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a variable of the language"
)]
pub(crate) struct Flags {
    pub(crate) boundary_quoted: bool,
    pub(crate) boundary_whitespace: bool,
    pub(crate) data_before: bool,
    pub(crate) data_after: bool,
    pub(crate) header_folding: bool,
    pub(crate) lf_line: bool,
    pub(crate) crlf_line: bool,
    pub(crate) missing_semicolon: bool,
    pub(crate) invalid_quoting: bool,
    pub(crate) invalid_part: bool,
    pub(crate) invalid_header_folding: bool,
    pub(crate) file_limit_exceeded: bool,
    pub(crate) unmatched_boundary: bool,
}

/// What was read, also when it ended in a problem.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Multipart {
    pub(crate) parts: Vec<Part>,
    pub(crate) flags: Flags,
    pub(crate) problem: Option<Problem>,
}

/// LIMIT: header lines of one part, and bytes of one.
const HEADERS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 4_096;
/// RFC 2046 §5.1.1.
const BOUNDARY_MAX: usize = 70;

/// Reads at most `parts` parts, of them `files` files.
pub(crate) fn read(content_type: &[u8], body: &[u8], parts: usize, files: usize) -> Multipart {
    let mut form = Multipart::default();
    let boundary = match boundary(content_type, &mut form.flags) {
        Ok(boundary) => boundary,
        Err(problem) => {
            form.problem = Some(format!("multipart: {problem}"));
            return form;
        }
    };
    let mut reader = Reader {
        form,
        delimiter: [b"--", boundary.as_slice()].concat(),
        state: State::Before,
        part: Part::default(),
        held: b"",
        files: 0,
    };
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        if let Err(problem) = reader.line(line, parts, files) {
            reader.form.problem = Some(format!("multipart: {problem}"));
            break;
        }
    }
    reader.finish()
}

/// The boundary that `Content-Type` names.
fn boundary(content_type: &[u8], flags: &mut Flags) -> Result<Vec<u8>, &'static str> {
    if content_type.len() > 1_024 {
        return Err("Content-Type is too long");
    }
    if !begins_ignore_case(content_type, b"multipart/form-data") {
        return Err("Content-Type is no multipart/form-data");
    }
    let lower = content_type.to_ascii_lowercase();
    // A boundary may be called `boundary`: only what `=` follows is a parameter.
    let is_parameter = |at: &usize| trim(tail(&lower, at + 8)).starts_with(b"=");
    let mut names = find_iter(&lower, b"boundary").filter(is_parameter);
    let begin = names.next().ok_or("Content-Type names no boundary")?;
    if names.next().is_some() {
        return Err("Content-Type names two boundaries");
    }
    let after = tail(content_type, begin + 8);
    let (between, value) = split_once(after, b'=').ok_or("the boundary has no value")?;
    flags.boundary_whitespace |= !between.is_empty() || value.first().is_some_and(|b| is_space(*b));
    let value = trim(value);
    let value = match value.strip_prefix(b"\"") {
        Some(quoted) => {
            flags.boundary_quoted = true;
            let (value, rest) =
                split_once(quoted, b'"').ok_or("the boundary's quote is not closed")?;
            let rest = trim(rest);
            if !rest.is_empty() && !rest.starts_with(b";") {
                return Err("something follows the boundary");
            }
            value
        }
        None => {
            let end = value.iter().position(|byte| matches!(byte, b';' | b','));
            let value = head(value, end.unwrap_or(value.len()));
            flags.boundary_whitespace |= value.last().is_some_and(|byte| is_space(*byte));
            trim(value)
        }
    };
    // RFC 2046 §5.1.1, with what other software is seen to send.
    let allowed =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?#$%&*!^`{|}~".contains(byte);
    match value.len() {
        0 => Err("the boundary is empty"),
        1..=BOUNDARY_MAX if value.iter().all(allowed) => Ok(value.to_vec()),
        1..=BOUNDARY_MAX => Err("the boundary has characters that none may have"),
        _ => Err("the boundary is too long"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Before,
    Headers,
    Body,
    /// After the last boundary.
    After,
}

struct Reader<'b> {
    form: Multipart,
    /// `--` and the boundary.
    delimiter: Vec<u8>,
    state: State,
    part: Part,
    /// The line end that belongs to the body only if no boundary follows.
    held: &'b [u8],
    files: usize,
}

impl<'b> Reader<'b> {
    fn line(&mut self, line: &'b [u8], parts: usize, files: usize) -> Result<(), Problem> {
        let (text, end) = ending(line);
        match end {
            b"\r\n" => self.form.flags.crlf_line = true,
            b"\n" if self.state != State::Body => self.form.flags.lf_line = true,
            _ => {}
        }
        if self.state == State::After {
            self.form.flags.data_after = true;
            return Ok(());
        }
        if let Some(rest) = text.strip_prefix(self.delimiter.as_slice()) {
            if end == b"\n" {
                self.form.flags.lf_line = true;
            }
            return self.boundary(rest, parts, files);
        }
        if text.starts_with(b"--") && text.len() > 2 && self.state != State::Headers {
            self.form.flags.unmatched_boundary = true;
        }
        match self.state {
            State::Before => {
                self.form.flags.data_before = true;
                Ok(())
            }
            State::Headers if text.is_empty() => self.headers_end(),
            State::Headers => self.header(text),
            State::Body => {
                self.part.body.extend_from_slice(self.held);
                self.part.body.extend_from_slice(text);
                self.held = end;
                Ok(())
            }
            State::After => Ok(()),
        }
    }

    /// A line that begins with the delimiter; `rest` follows it.
    fn boundary(&mut self, rest: &[u8], parts: usize, files: usize) -> Result<(), Problem> {
        match self.state {
            State::Headers => {
                self.form.flags.invalid_part = true;
                return Err("a part has no body".to_owned());
            }
            State::Body => self.part_end(parts, files)?,
            State::Before | State::After => {}
        }
        self.held = b"";
        match rest {
            b"" => self.state = State::Headers,
            b"--" => self.state = State::After,
            _ if rest.iter().all(|byte| matches!(byte, b' ' | b'\t')) => {
                self.form.flags.boundary_whitespace = true;
                self.state = State::Headers;
            }
            _ => return Err("something follows a boundary on its line".to_owned()),
        }
        Ok(())
    }

    fn header(&mut self, text: &[u8]) -> Result<(), Problem> {
        if text.first().is_some_and(|byte| is_space(*byte)) {
            self.form.flags.header_folding = true;
            if !matches!(text.first(), Some(b' ' | b'\t')) {
                self.form.flags.invalid_header_folding = true;
            }
            let Some(last) = self.part.headers.last_mut() else {
                self.form.flags.invalid_part = true;
                return Err("a part begins with a folded line".to_owned());
            };
            last.push(b' ');
            last.extend_from_slice(trim(text));
            return within(
                last.len() <= HEADER_BYTES_MAX,
                "a part's header is too long",
            );
        }
        within(
            self.part.headers.len() < HEADERS_MAX,
            "a part has too many headers",
        )?;
        within(
            text.len() <= HEADER_BYTES_MAX,
            "a part's header is too long",
        )?;
        let Some((name, _)) = split_once(text, b':') else {
            self.form.flags.invalid_part = true;
            return Err("a part's header has no colon".to_owned());
        };
        if name.is_empty() {
            self.form.flags.invalid_part = true;
            return Err("a part's header has no name".to_owned());
        }
        let same = |line: &&Vec<u8>| {
            split_once(line, b':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if self.part.headers.iter().any(|line| same(&line)) {
            self.form.flags.invalid_part = true;
            return Err("a part has a header twice".to_owned());
        }
        self.part.headers.push(text.to_vec());
        Ok(())
    }

    fn headers_end(&mut self) -> Result<(), Problem> {
        let flags = &mut self.form.flags;
        let value = self.part.headers.iter().find_map(|line| {
            let (name, value) = split_once(line, b':')?;
            trim(name)
                .eq_ignore_ascii_case(b"content-disposition")
                .then_some(trim(value))
        });
        let Some(value) = value else {
            flags.invalid_part = true;
            return Err("a part has no Content-Disposition".to_owned());
        };
        let read = disposition::read(value).map_err(|problem| {
            flags.invalid_part = true;
            format!("a part is malformed: {problem}")
        })?;
        flags.invalid_quoting |= read.invalid_quoting;
        flags.missing_semicolon |= read.missing_semicolon;
        let Some(name) = read.name else {
            flags.invalid_part = true;
            return Err("a part has no name".to_owned());
        };
        self.part.name = name;
        self.part.filename = read.filename;
        self.state = State::Body;
        self.held = b"";
        Ok(())
    }

    fn part_end(&mut self, parts: usize, files: usize) -> Result<(), Problem> {
        let part = std::mem::take(&mut self.part);
        if part.filename.is_some() {
            self.files += 1;
            if self.files > files {
                self.form.flags.file_limit_exceeded = true;
                return Err("there are too many files".to_owned());
            }
        }
        within(self.form.parts.len() < parts, "there are too many parts")?;
        self.form.parts.push(part);
        Ok(())
    }

    fn finish(mut self) -> Multipart {
        if self.form.problem.is_none() && self.state != State::After {
            // What was begun is looked at all the same.
            if self.state == State::Body {
                self.form.parts.push(self.part);
            }
            self.form.problem = Some("multipart: the last boundary is missing".to_owned());
        }
        self.form
    }
}

fn within(holds: bool, problem: &str) -> Result<(), Problem> {
    if holds {
        Ok(())
    } else {
        Err(problem.to_owned())
    }
}

/// A line without its end, and the end.
fn ending(line: &[u8]) -> (&[u8], &[u8]) {
    let end = if line.ends_with(b"\r\n") {
        2
    } else {
        usize::from(line.ends_with(b"\n"))
    };
    line.split_at_checked(line.len() - end).unwrap_or_default()
}
