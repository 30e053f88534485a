//! `did you mean`, for names.

/// The nearest of `known` to a name that is not among them; empty when none is near.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    // LIMIT: no name is longer, and comparing two costs the product of their lengths.
    if name.len() > 63 {
        return String::new();
    }
    let near = known
        .map(|one| (strsim::damerau_levenshtein(name, one), one))
        .filter(|(distance, one)| *distance <= 1 + one.len() / 5)
        .min();
    near.map_or_else(String::new, |(_, one)| format!("did you mean `{one}`?"))
}
