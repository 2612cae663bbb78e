"""The bank of attacks: `forgery` wants points, `theft` wants to see, `sabotage` wants to break.

An attack is `name: code`, and makes a whole submission. A forged answer stands in the place of `batch_jacobian` and
deserves nothing for it. A theft or an act of sabotage is a cell of its own above an unsolved `batch_jacobian`. The
other answer, `autoregressive_forward`, is right in all of them and keeps its points, unless the attack is listed in
`SELF_HARM`: what it breaks there is its own.
"""
