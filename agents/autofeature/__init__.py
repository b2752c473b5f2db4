"""AutoFeature: which features go into a recommender, how they are encoded, and which are retired."""
