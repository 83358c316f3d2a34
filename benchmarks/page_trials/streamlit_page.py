"""The trial page with Streamlit: `streamlit run streamlit_page.py -- STORE`."""

from __future__ import annotations

import sys

import streamlit as st

import swimmer


@st.cache_resource
def opened() -> swimmer.PaperStore:
    return swimmer.open_store(sys.argv[1])


def ask(title: str) -> None:
    st.session_state.title = title


store = opened()
st.set_page_config("swimmer")
st.title("swimmer")
# No event tells of a key press: every title of the store goes to the browser.
titles = [paper.title for paper in store]
title = st.selectbox("Title of a paper", titles, None, key="title", accept_new_options=True)
for hit in swimmer.search(store, title, 10) if title else []:
    with st.container(border=True):
        # Markdown would read a title's brackets and dollars.
        st.text(hit.paper.display_title)
        st.text(f"{hit.score:.3f}")
        with st.expander("Abstract"):
            st.text(hit.paper.abstract)
        st.button("More like this", key=hit.paper.id, on_click=ask, args=(hit.paper.title,))
