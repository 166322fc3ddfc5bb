//! The journal as its callers see it: what it keeps, what it thins, and what it survives.

mod damage;
mod full;
mod keep;
mod kill;
mod place;
