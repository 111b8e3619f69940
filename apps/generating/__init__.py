"""What the generators of all deployments share; knows nothing of Isthmus, nor of any deployment.

`ids` makes ids that follow from a number, `placing` spreads what is planted, `outcomes` are the words for what must
become of it, `lines` writes long truths, `sinks` takes documents, `command` is what their commands have in common.
"""
