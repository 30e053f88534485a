//! "Did you mean": the nearest of the names that exist.

/// The candidate nearest to `given`, when it is near enough to be meant.
pub(crate) fn nearest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // LIMIT: the distance costs the product of both lengths, and names have at most 63 bytes.
    if given.len() > 128 {
        return None;
    }
    let most = (given.chars().count() / 5).clamp(1, 2);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(given.len()) <= most.saturating_mul(4))
        .map(|candidate| (strsim::osa_distance(given, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The hint for a name that does not exist: the nearest one, or those there are.
pub(crate) fn hint<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
    plural: &str,
) -> String {
    if let Some(near) = nearest(given, candidates.clone()) {
        return format!("did you mean `{near}`?");
    }
    let mut all: Vec<&str> = candidates.into_iter().take(9).collect();
    if all.is_empty() {
        return format!("there are no {plural}");
    }
    let more = if all.len() > 8 { ", …" } else { "" };
    all.truncate(8);
    format!("{plural} there are: `{}`{more}", all.join("`, `"))
}
