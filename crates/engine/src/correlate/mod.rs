//! Whose account is this, and how do we know?
