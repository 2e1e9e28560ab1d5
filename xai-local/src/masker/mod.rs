//! What a player is and what its absence means.
