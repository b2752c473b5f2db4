"""AutoFeature: features that earn their place. What goes into a model, how it is encoded, and what is retired."""
