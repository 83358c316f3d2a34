r"""The TeX commands that an export keeps: they set letters, symbols and styles, and nothing else.

Whatever is not here is spelt out, because a title comes from strangers and is typeset on the
user's machine: `\input` reads a file, `\write` writes one, `\csname` and `\catcode` make any
command out of harmless ones, `\href` opens what its address names.

Source of the names: "The Comprehensive LaTeX Symbol List" (https://ctan.org/pkg/comprehensive).
"""

from __future__ import annotations

_LETTERS = """
c d b H k r t u v i j l L o O ae AE oe OE aa AA ss SS dh DH dj DJ th TH ng NG
"""
_STYLES = """
textbf textit texttt textsc textsf textrm textup textsl textmd textnormal textsuperscript
textsubscript emph text underline overline mbox ensuremath bf it tt sc sf rm em sl bfseries
itshape mathrm mathbf mathit mathsf mathtt mathcal mathbb mathfrak mathscr mathnormal boldsymbol bm
operatorname displaystyle textstyle scriptstyle limits nolimits
"""
_SPACES = "quad qquad thinspace enspace space nobreakspace"
_TEXT_SYMBOLS = """
textbackslash textasciicircum textasciitilde textbraceleft textbraceright textbar textless
TeX LaTeX textgreater textunderscore textdollar textquotesingle textquotedblleft
textquotedblright textquoteleft
textquoteright textendash textemdash textellipsis textregistered texttrademark textcopyright
textdegree textmu textonehalf textonequarter texttimes textsection textparagraph textbullet
textexclamdown textquestiondown texteuro ldots dots cdots vdots ddots dotsc dotsb copyright pounds
S P dag ddag lbrace rbrace lbrack rbrack vert Vert slash backslash colon
"""
_GREEK = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu
xi omicron pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta
Lambda Xi Pi Sigma Upsilon Phi Psi Omega digamma
"""
_MATH = """
frac dfrac tfrac sqrt binom sum prod coprod int iint iiint oint bigcup bigcap bigoplus bigotimes
bigvee bigwedge hat widehat tilde widetilde bar vec dot ddot acute grave check breve mathring
overrightarrow overleftarrow underbrace overbrace stackrel overset underset substack left right big
Big bigg Bigg bigl bigr Bigl Bigr middle langle rangle lfloor rfloor lceil rceil lvert rvert lVert
rVert pm mp times div cdot ast star circ bullet oplus ominus otimes oslash odot dagger ddagger
cap cup uplus sqcap sqcup vee wedge setminus wr diamond triangle bigtriangleup bigtriangledown
triangleleft triangleright leq geq le ge neq ne equiv sim simeq approx cong propto ll gg prec succ
preceq succeq subset supset subseteq supseteq sqsubseteq sqsupseteq in ni notin not mid parallel
perp models vdash dashv asymp doteq smile frown bowtie leqslant geqslant lesssim gtrsim nmid
subsetneq supsetneq to gets leftarrow rightarrow leftrightarrow Leftarrow Rightarrow Leftrightarrow
longleftarrow longrightarrow longleftrightarrow Longrightarrow Longleftrightarrow uparrow downarrow
updownarrow Uparrow Downarrow mapsto longmapsto hookrightarrow hookleftarrow rightharpoonup
leftharpoonup rightleftharpoons nearrow searrow swarrow nwarrow implies iff xrightarrow xleftarrow
infty nabla partial forall exists nexists emptyset varnothing neg lnot top bot angle prime hbar ell
wp Re Im aleph beth imath jmath complement square blacksquare lozenge checkmark therefore because
natural flat sharp clubsuit diamondsuit heartsuit spadesuit
arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup
ln log max min Pr sec sin sinh sup tan tanh bmod pmod mod argmax argmin
"""

KEPT = frozenset(" ".join((_LETTERS, _STYLES, _SPACES, _TEXT_SYMBOLS, _GREEK, _MATH)).split())
"""Names of commands, without the backslash."""

ENVIRONMENTS = frozenset(
    "matrix pmatrix bmatrix vmatrix Vmatrix smallmatrix cases array aligned split".split()
)
"""What may stand in the braces of `\\begin` and `\\end`."""
