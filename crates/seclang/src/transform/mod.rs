//! Transformations: what is done to a value before an operator looks at it. Each is a file of its
//! own; this one knows them by name, and builds the trie that chains of them share.

mod base64_decode;
mod base64_decode_ext;
mod base64_encode;
mod cmd_line;
mod compress_whitespace;
mod css_decode;
mod escape_seq_decode;
mod escapes;
mod hex_decode;
mod hex_encode;
mod html_entity_decode;
mod js_decode;
mod length;
mod lowercase;
mod md5;
mod normalize_path;
mod normalize_path_win;
mod parity_even_7bit;
mod parity_odd_7bit;
mod parity_zero_7bit;
mod remove_comments;
mod remove_comments_char;
mod remove_nulls;
mod remove_whitespace;
mod replace_comments;
mod replace_nulls;
mod sha1;
mod sql_hex_decode;
mod touches;
mod trim;
mod trim_left;
mod trim_right;
pub(crate) mod unicode_map;
mod uppercase;
pub(crate) mod url_decode;
mod url_decode_uni;
mod url_encode;
mod utf8_to_unicode;

#[cfg(test)]
mod tests;

use touches::touches;
use unicode_map::UnicodeMap;

use crate::rules::ByteSet;

/// What a transformation does: the new value goes to the end of `out`, which is empty, and the
/// answer says whether it differs. When it does not, `out` means nothing.
type Run = fn(&[u8], &mut Vec<u8>) -> bool;

/// One transformation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transformation {
    /// As rules write it; case aside.
    pub(crate) name: &'static str,
    run: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Plain(Run),
    /// Needs the code page.
    UrlDecodeUni,
}

impl Transformation {
    /// The transformation of this name, case aside.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut known = ALL.iter();
        known
            .find(|known| known.name.eq_ignore_ascii_case(name))
            .copied()
    }

    /// All names, for `did you mean`.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|known| known.name)
    }

    /// Applies it: see [`Run`].
    pub(crate) fn apply(&self, input: &[u8], out: &mut Vec<u8>, map: &UnicodeMap) -> bool {
        match self.run {
            How::Plain(run) => run(input, out),
            How::UrlDecodeUni => url_decode_uni::apply(input, out, map),
        }
    }
}

/// Every transformation there is; British spellings are names of the same.
const ALL: &[Transformation] = &[
    plain("base64Decode", base64_decode::apply),
    plain("base64DecodeExt", base64_decode_ext::apply),
    plain("base64Encode", base64_encode::apply),
    plain("cmdLine", cmd_line::apply),
    plain("compressWhitespace", compress_whitespace::apply),
    plain("cssDecode", css_decode::apply),
    plain("escapeSeqDecode", escape_seq_decode::apply),
    plain("hexDecode", hex_decode::apply),
    plain("hexEncode", hex_encode::apply),
    plain("htmlEntityDecode", html_entity_decode::apply),
    plain("jsDecode", js_decode::apply),
    plain("length", length::apply),
    plain("lowercase", lowercase::apply),
    plain("md5", md5::apply),
    plain("normalizePath", normalize_path::apply),
    plain("normalisePath", normalize_path::apply),
    plain("normalizePathWin", normalize_path_win::apply),
    plain("normalisePathWin", normalize_path_win::apply),
    plain("parityEven7bit", parity_even_7bit::apply),
    plain("parityOdd7bit", parity_odd_7bit::apply),
    plain("parityZero7bit", parity_zero_7bit::apply),
    plain("removeComments", remove_comments::apply),
    plain("removeCommentsChar", remove_comments_char::apply),
    plain("removeNulls", remove_nulls::apply),
    plain("removeWhitespace", remove_whitespace::apply),
    plain("replaceComments", replace_comments::apply),
    plain("replaceNulls", replace_nulls::apply),
    plain("sha1", sha1::apply),
    plain("sqlHexDecode", sql_hex_decode::apply),
    plain("trim", trim::apply),
    plain("trimLeft", trim_left::apply),
    plain("trimRight", trim_right::apply),
    plain("uppercase", uppercase::apply),
    plain("urlDecode", url_decode::apply),
    Transformation {
        name: "urlDecodeUni",
        run: How::UrlDecodeUni,
    },
    plain("urlEncode", url_encode::apply),
    plain("utf8toUnicode", utf8_to_unicode::apply),
];

const fn plain(name: &'static str, run: Run) -> Transformation {
    Transformation {
        name,
        run: How::Plain(run),
    }
}

/// A place in the trie of chains: zero is the value as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node(pub(crate) u16);

impl Node {
    /// No transformation.
    pub(crate) const ROOT: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Chains of transformations that begin alike share what they have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trie {
    /// The step of node `n + 1`: its parent, and what is done to the parent's value.
    steps: Vec<(Node, Transformation)>,
    /// For node `n + 1`: all nodes that lead to it, itself the last.
    paths: Vec<Box<[Node]>>,
    /// For node `n + 1`: a value without any of these bytes is what its whole chain makes of it.
    touched: Vec<Option<ByteSet>>,
    /// For node `n + 1`: the number of its transformation among those that occur.
    kinds: Vec<u16>,
    /// Those that occur, and the bytes each of them touches.
    occurring: Vec<(&'static str, Option<ByteSet>)>,
}

impl Trie {
    /// How many nodes there are, the root among them.
    pub(crate) fn len(&self) -> usize {
        self.steps.len() + 1
    }

    /// The step that leads to `node`; none for the root.
    pub(crate) fn step(&self, node: Node) -> Option<(Node, Transformation)> {
        self.steps.get(node.index().checked_sub(1)?).copied()
    }

    /// The node below `parent`, made when it is new; none when there are too many.
    pub(crate) fn child(&mut self, parent: Node, next: Transformation) -> Option<Node> {
        let same = |step: &(Node, Transformation)| step.0 == parent && step.1.name == next.name;
        if let Some(at) = self.steps.iter().position(same) {
            return u16::try_from(at + 1).ok().map(Node);
        }
        // LIMIT: 4,096 different beginnings of chains.
        if self.steps.len() >= 4095 {
            return None;
        }
        let before = match parent.index().checked_sub(1) {
            None => Some(ByteSet::default()),
            Some(at) => self.touched.get(at).copied().flatten(),
        };
        let touched = before.and_then(|before| Some(before.union(touches(next.name)?)));
        self.touched.push(touched);
        let kind = self.kind(next.name);
        self.kinds.push(kind);
        self.steps.push((parent, next));
        let node = u16::try_from(self.steps.len()).ok().map(Node)?;
        let path = [self.path(parent), &[node]].concat();
        self.paths.push(path.into());
        Some(node)
    }

    /// The number of a transformation, made when it is new.
    fn kind(&mut self, name: &'static str) -> u16 {
        let known = self.occurring.iter().position(|(known, _)| *known == name);
        let at = known.unwrap_or_else(|| {
            self.occurring.push((name, touches(name)));
            self.occurring.len() - 1
        });
        // There are fewer transformations than that.
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    /// How many different transformations there are.
    pub(crate) fn kinds(&self) -> usize {
        self.occurring.len()
    }

    /// The number of the transformation that leads to `node`, and whether it may make something else of
    /// a value with these bytes.
    pub(crate) fn last(&self, node: Node, bytes: &ByteSet) -> Option<(usize, bool)> {
        let kind = usize::from(*self.kinds.get(node.index().checked_sub(1)?)?);
        let (_, touched) = self.occurring.get(kind)?;
        Some((kind, touched.is_none_or(|touched| touched.meets(bytes))))
    }

    /// Whether the chain that ends at `node` may make something else of a value with these bytes.
    pub(crate) fn may_change(&self, node: Node, bytes: &ByteSet) -> bool {
        match node.index().checked_sub(1).map(|at| self.touched.get(at)) {
            None => false,
            Some(touched) => touched
                .and_then(Option::as_ref)
                .is_none_or(|touched| touched.meets(bytes)),
        }
    }

    /// A value without any of these bytes is what the chain that ends at `node` makes of it; none where
    /// that holds for no bytes.
    pub(crate) fn touched(&self, node: Node) -> Option<ByteSet> {
        match node.index().checked_sub(1) {
            None => Some(ByteSet::EMPTY),
            Some(at) => self.touched.get(at).copied().flatten(),
        }
    }

    /// The nodes from the root's child to `node`, in the order they are applied.
    pub(crate) fn path(&self, node: Node) -> &[Node] {
        let at = node.index().checked_sub(1);
        let path = at.and_then(|at| self.paths.get(at));
        path.map_or(&[], |path| path)
    }
}
