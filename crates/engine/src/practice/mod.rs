//! The practice estate: a deterministic company to try everything on.
