//! A request's body: read by the chosen reader, its values put where rules look for them.

use super::Transaction;
use crate::body::multipart::{Flags, Multipart};
use crate::body::{json, multipart, urlencoded, xml};
use crate::bytes::head;
use crate::settings::{EngineMode, LimitAction, Processor};
use crate::variable::Variable;
use crate::verdict::{Action, Interruption, Verdict};

impl Transaction<'_> {
    /// Takes the whole body, empty when there is none, and runs phase 2.
    ///
    /// LIMIT: what is longer than `SecRequestBodyLimit` is refused with status 413, or only its
    /// beginning is looked at, as the rules have chosen.
    pub fn request_body(&mut self, body: &[u8]) -> Verdict {
        self.resume();
        let verdict = self.whole_request(body);
        self.rest();
        verdict
    }

    fn whole_request(&mut self, body: &[u8]) -> Verdict {
        if self.interruption.is_some() || self.state.engine == EngineMode::Off {
            return self.verdict();
        }
        let body = self.within_limit(body);
        if self.interruption.is_some() {
            return self.verdict();
        }
        if self.state.request_body_access.is_on() {
            self.set_number(Variable::RequestBodyLength, body.len());
            if self.rules.uses(Variable::FullRequest) {
                self.full_request_body(body);
            }
            self.read_body(body);
        }
        self.sizes();
        self.phase(2);
        self.verdict()
    }

    fn within_limit<'b>(&mut self, body: &'b [u8]) -> &'b [u8] {
        let settings = &self.rules.settings;
        let is_form_of_files = self.state.processor == Some(Processor::Multipart);
        let whole = self.state.request_body_limit_bytes;
        let limit = if is_form_of_files {
            whole
        } else {
            whole.min(settings.request_body_no_files_limit_bytes)
        };
        if body.len() <= limit || !self.state.request_body_access.is_on() {
            return body;
        }
        self.beyond_limit();
        head(body, limit)
    }

    fn beyond_limit(&mut self) {
        self.set(Variable::InboundDataError, b"1");
        if self.rules.settings.request_body_limit_action == LimitAction::Reject {
            self.end(Interruption {
                rule: 0,
                place: None,
                phase: 2,
                status: 413,
                action: Action::Deny,
            });
        }
    }

    fn read_body(&mut self, body: &[u8]) {
        let processor = self.state.processor;
        if let Some(processor) = processor {
            self.set(Variable::ReqbodyProcessor, processor.name().as_bytes());
        }
        let wants_raw =
            processor == Some(Processor::Urlencoded) || self.state.force_request_body.is_on();
        if wants_raw {
            self.set(Variable::RequestBody, body);
        }
        match processor {
            _ if body.is_empty() && processor != Some(Processor::Multipart) => {}
            Some(Processor::Urlencoded) => self.urlencoded(body),
            Some(Processor::Multipart) => self.multipart(body),
            Some(Processor::Json) => self.json(body),
            Some(Processor::Xml) => self.xml(body),
            None => {}
        }
    }

    fn urlencoded(&mut self, body: &[u8]) {
        let settings = &self.rules.settings;
        let form = urlencoded::read(body, settings.argument_separator, settings.arguments_limit);
        if form.invalid > 0 {
            self.set(Variable::UrlencodedError, b"1");
        }
        for (name, value) in form.pairs.iter() {
            self.add(Variable::ArgsPost, name, value);
        }
        self.raw_arguments(Variable::ArgsPostRaw, body);
        if form.too_many {
            self.body_problem("the form has too many arguments");
        }
    }

    fn json(&mut self, body: &[u8]) {
        let settings = &self.rules.settings;
        let read = json::read(body, settings.depth_limit, settings.arguments_limit);
        for (name, value) in read.pairs.iter() {
            self.add(Variable::ArgsPost, name, value);
        }
        if let Some(problem) = read.problem {
            self.body_problem(&problem);
        }
    }

    fn xml(&mut self, body: &[u8]) {
        let settings = &self.rules.settings;
        // LIMIT: elements and attributes are many where arguments are few.
        let read = xml::read(
            body,
            settings.depth_limit,
            settings.arguments_limit.saturating_mul(16),
        );
        if self.state.xml_into_args.is_on() {
            for (name, value) in read.pairs.iter().take(settings.arguments_limit) {
                self.add(Variable::ArgsPost, name, value);
            }
        }
        self.add(Variable::Xml, b"/*", &read.text);
        for value in &read.attributes {
            self.add(Variable::Xml, b"//@*", value);
        }
        if let Some(problem) = read.problem {
            self.body_problem(&problem);
        }
    }

    fn multipart(&mut self, body: &[u8]) {
        let settings = &self.rules.settings;
        let types = self.store.list(Variable::RequestHeaders).iter();
        let mut types = types.filter(|entry| {
            self.values
                .get(entry.name)
                .eq_ignore_ascii_case(b"content-type")
        });
        let content_type = types
            .next()
            .map(|entry| self.values.get(entry.value).to_vec());
        let content_type = content_type.unwrap_or_default();
        if body.is_empty() {
            self.multipart_flags(Flags::default(), None);
            return;
        }
        let most = settings.arguments_limit;
        let Multipart {
            parts,
            flags,
            problem,
        } = multipart::read(&content_type, body, most, settings.file_limit);
        // What could not be read to its end is no form that all readers take alike.
        self.multipart_flags(flags, problem.as_deref());
        let (mut files_bytes, mut fields_bytes) = (0, 0);
        for part in &parts {
            let headers: usize = part.headers.iter().map(Vec::len).sum();
            let field = part.filename.is_none().then_some(part.body.len());
            fields_bytes += headers + field.unwrap_or_default();
            if fields_bytes > settings.request_body_no_files_limit_bytes {
                self.beyond_limit();
                break;
            }
            for line in &part.headers {
                self.add(Variable::MultipartPartHeaders, &part.name, line);
            }
            self.add(Variable::MultipartName, &part.name, &part.name);
            if let Some(filename) = &part.filename {
                files_bytes += part.body.len();
                self.add(Variable::Files, &part.name, filename);
                self.add(Variable::MultipartFilename, &part.name, filename);
                let size = part.body.len().to_string();
                self.add(Variable::FilesSizes, &part.name, size.as_bytes());
                if self.rules.uses(Variable::FilesTmpContent) {
                    self.add(Variable::FilesTmpContent, &part.name, &part.body);
                }
            } else {
                self.add(Variable::ArgsPost, &part.name, &part.body);
            }
        }
        self.set_number(Variable::FilesCombinedSize, files_bytes);
        if let Some(problem) = problem {
            self.body_problem(&problem);
        }
    }

    fn multipart_flags(&mut self, flags: Flags, problem: Option<&str>) {
        let strict = [
            (Variable::MultipartBoundaryQuoted, flags.boundary_quoted),
            (
                Variable::MultipartBoundaryWhitespace,
                flags.boundary_whitespace,
            ),
            (Variable::MultipartDataBefore, flags.data_before),
            (Variable::MultipartDataAfter, flags.data_after),
            (Variable::MultipartHeaderFolding, flags.header_folding),
            (Variable::MultipartLfLine, flags.lf_line),
            (Variable::MultipartMissingSemicolon, flags.missing_semicolon),
            (Variable::MultipartInvalidQuoting, flags.invalid_quoting),
            (Variable::MultipartInvalidPart, flags.invalid_part),
            (
                Variable::MultipartInvalidHeaderFolding,
                flags.invalid_header_folding,
            ),
            (
                Variable::MultipartFileLimitExceeded,
                flags.file_limit_exceeded,
            ),
        ];
        let any = problem.is_some() || strict.iter().any(|(_, raised)| *raised);
        let others = [
            (
                Variable::MultipartCrlfLfLines,
                flags.crlf_line && flags.lf_line,
            ),
            (
                Variable::MultipartUnmatchedBoundary,
                flags.unmatched_boundary,
            ),
            (Variable::MultipartStrictError, any),
        ];
        for (variable, raised) in strict.into_iter().chain(others) {
            self.set(variable, if raised { b"1" } else { b"0" });
        }
    }

    fn full_request_body(&mut self, body: &[u8]) {
        let entry = self.store.list(Variable::FullRequest).first().copied();
        let head = entry.map(|entry| self.values.get(entry.value).to_vec());
        let text = [head.unwrap_or_default().as_slice(), body].concat();
        self.set_number(Variable::FullRequestLength, text.len());
        self.set(Variable::FullRequest, &text);
    }
}
