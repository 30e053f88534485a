//! `t:urlEncode`: percent-encoding of forms.
//!
//! - Arguments: none.
//! - Returns: letters, digits and `*` as they are, a space as `+`, every other byte as `%hh`.
//! - Example: `a b/c` becomes `a+b%2fc`.

use super::hex_encode;

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    for byte in input {
        match byte {
            b' ' => out.push(b'+'),
            b'*' => out.push(b'*'),
            _ if byte.is_ascii_alphanumeric() => out.push(*byte),
            _ => {
                out.push(b'%');
                hex_encode::apply(&[*byte], out);
            }
        }
    }
    out != input
}
