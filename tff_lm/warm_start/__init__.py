"""Starting from weights that another training left: from all of them, or from a part.

`sources` reads them, `matching` decides by name and shape which variable takes which, `start` puts
them in the place of the initial ones.
"""
