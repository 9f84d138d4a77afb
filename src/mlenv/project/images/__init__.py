"""One file per recipe for an image: text -> Source."""
