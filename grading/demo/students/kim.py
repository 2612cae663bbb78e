# assignment: 00_flows_recap
# about: everything right, and untidy: prints, warnings, a broken scratch cell
# start: solutions

# %%
import sys
import warnings

warnings.warn("I am not sure about this")
print("debugging", file=sys.stderr)
%timeit sum(range(10))
!ls

# %%
scratch = undefined_name + 1

# %% batch_jacobian: 2
def batch_jacobian(f, x):
    print("called with", x.shape)
    return torch.func.vmap(torch.func.jacrev(f))(x)
