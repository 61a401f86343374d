"""The picture: a view placed scope by scope, and written as SVG, PDF or DOT."""
