mod fixtures;
mod hostile;
mod order;
mod rules;
mod tools;
