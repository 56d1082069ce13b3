//! Keys and mappings: columns that need stronger locks, keys that are widened, keys that are null, joined views.

mod joined;
mod locks;
mod null;
mod widened;
