"""What jobs cost: beyond their work, with a hundred thousand of them kept, and beside requests while clients poll."""
