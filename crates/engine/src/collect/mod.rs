//! How does it get in? Page loop, journal, completeness verdict.
