//! Local surrogate models.
