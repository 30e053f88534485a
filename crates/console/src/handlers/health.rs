//! The state of the whole: a word for the top bar, and the list for the overview.

use api::{Colour, Health, Services};

use crate::pages::overview::Part;
use crate::ui::{Badge, Tone};

/// The word in the top bar: only what is known without asking the store.
pub(crate) fn badge(services: &Services) -> Badge {
    let trail = services.trail.health();
    if !trail.writable {
        return Badge::new(Tone::Critical, "Not recording");
    }
    if trail.damage.is_some() {
        return Badge::new(Tone::Critical, "Trail damaged");
    }
    if trail.reason.is_some() {
        return Badge::new(Tone::High, "Trail on its reserve");
    }
    if services.gateway.traffic().gateways.is_empty() {
        return Badge::new(Tone::High, "No gateway");
    }
    Badge::new(Tone::Ok, "All is well")
}

/// Every part with its state.
pub(crate) fn parts(health: &Health) -> Vec<Part> {
    health
        .components
        .iter()
        .map(|component| Part {
            name: capital(component.name),
            badge: match component.state {
                Colour::Green => Badge::new(Tone::Ok, "Works"),
                Colour::Red => Badge::new(Tone::Critical, "Does not work"),
            },
            detail: component.detail.clone(),
        })
        .collect()
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| format!("{}{}", first.to_uppercase(), letters.as_str()))
        .unwrap_or_default()
}
