mod findings;
mod origins;
mod statuses;
