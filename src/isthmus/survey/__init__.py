"""What a source holds, counted: profiles of every field, references, advice, and a proposed mapping."""
