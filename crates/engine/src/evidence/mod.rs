//! How is it proved to someone else? The content of an audit package.
