-- Undoes 20261123150200_signed_reviews. No row is changed.

GRANT EXECUTE ON FUNCTION
    public.enter_booking(), public.change_booking(), public.keep_booking(), public.write_booking_step(),
    public.guard_listing()
    TO PUBLIC;

DROP TRIGGER guard_review ON public.listing_reviews;
DROP FUNCTION public.guard_review();
